/** The path of the extension's HTTP API. */
export const WEBHOOK_PATH = "/runtime/webhooks/durabletask";

/** The path of the endpoint for the clients of the app, on this machine alone. Source: LocalHttpListener.cs. */
export const CLIENT_PATH = "/durabletask";

/** The parts of every URL of the API. */
interface UrlParts {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly hubName: string;
  readonly systemKey: string;
}

/** The name of the storage connection in URLs; there is only one here. */
const CONNECTION = "Storage";

/** The URLs that manage one instance. Source: HttpApiHandler.cs, GetClientResponseLinks. */
export const managementUrls = ({ origin, hubName, systemKey }: UrlParts, instanceId: string) => {
  const instance = `${origin}${WEBHOOK_PATH}/instances/${encodeURIComponent(instanceId)}`;
  const query = `taskHub=${encodeURIComponent(hubName)}&connection=${CONNECTION}&code=${systemKey}`;
  return {
    id: instanceId,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
};

/** The id in the URLs of a client binding, which the library replaces. Source: BindingHelper.cs. */
const ID_PLACEHOLDER = "INSTANCEID";

/**
 * The data of a `durableClient` binding. `rpcBaseUrl` matters: without it, durable-functions 3.5 calls localhost:7071
 * where `WEBSITE_HOSTNAME` is not set.
 */
export const clientPayload = (parts: UrlParts, clientOrigin: string): string => {
  const baseUrl = `${parts.origin}${WEBHOOK_PATH}`;
  const create = `${baseUrl}/orchestrators/{functionName}[/{instanceId}]`;
  const key = `code=${parts.systemKey}`;
  const wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}";
  return JSON.stringify({
    taskHubName: parts.hubName,
    creationUrls: {
      createNewInstancePostUri: `${create}?${key}`,
      createAndWaitOnNewInstancePostUri: `${create}?${wait}&${key}`,
    },
    managementUrls: managementUrls(parts, ID_PLACEHOLDER),
    baseUrl,
    requiredQueryStringParameters: key,
    rpcBaseUrl: `${clientOrigin}${CLIENT_PATH}/`,
  });
};
