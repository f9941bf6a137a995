/**
 * The columns of the workspace's tables that queries may use. Sources, all read 2026-11:
 * learn.microsoft.com/azure/azure-monitor/reference/tables/ and there storagebloblogs, apprequests, apptraces,
 * appexceptions, aadmanagedidentitysigninlogs, aadserviceprincipalsigninlogs, usage; of _LogOperation
 * learn.microsoft.com/azure/azure-monitor/logs/monitor-workspace.
 */
export const LOG_TABLES: Readonly<Record<string, string>> = {
  StorageBlobLogs: [
    "TimeGenerated: datetime, AccountName: string, Category: string, OperationName: string, StatusCode:",
    "string, StatusText: string, Uri: string, CallerIpAddress: string, RequesterObjectId: string,",
    "AuthenticationType: string, UserAgentHeader: string, RequestBodySize: long, ResponseBodySize: long,",
    "DurationMs: real, Type: string",
  ].join(" "),
  AppRequests: [
    "TimeGenerated: datetime, Name: string, Success: bool, ResultCode: string, DurationMs: real,",
    "OperationName: string, Type: string",
  ].join(" "),
  AppTraces: [
    "TimeGenerated: datetime, Message: string, SeverityLevel: int, Properties: dynamic, OperationName:",
    "string, Type: string",
  ].join(" "),
  AppExceptions: "TimeGenerated: datetime, ProblemId: string, OuterMessage: string, Type: string",
  AADManagedIdentitySignInLogs: [
    "TimeGenerated: datetime, ServicePrincipalId: string, ServicePrincipalName: string, IPAddress:",
    "string, ResourceIdentity: string, ResourceDisplayName: string, Type: string",
  ].join(" "),
  AADServicePrincipalSignInLogs: [
    "TimeGenerated: datetime, ServicePrincipalId: string, ServicePrincipalName: string, IPAddress:",
    "string, ResourceIdentity: string, ResourceDisplayName: string, Type: string",
  ].join(" "),
  Usage: "TimeGenerated: datetime, DataType: string, Quantity: real, QuantityUnit: string, Type: string",
  _LogOperation: [
    "TimeGenerated: datetime, Category: string, Operation: string, Level: string, Detail: string, Type:",
    "string",
  ].join(" "),
};
