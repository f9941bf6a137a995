/** Where the extension's HTTP API lives. */
export const WEBHOOK_PATH = "/runtime/webhooks/durabletask";

/** What every URL of the API carries. */
interface UrlParts {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly hubName: string;
  readonly systemKey: string;
}

/** The name of the storage connection in URLs; there is but one here. */
const CONNECTION = "Storage";

/** The URLs to follow and steer one instance with. Source: HttpApiHandler.cs, GetClientResponseLinks. */
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
 * What a `durableClient` binding hands the app. `rpcBaseUrl` matters: without it durable-functions 3.5 sends its calls
 * to localhost:7071 wherever `WEBSITE_HOSTNAME` is not set.
 */
export const clientPayload = (parts: UrlParts): string => {
  const baseUrl = `${parts.origin}${WEBHOOK_PATH}`;
  const create = `${baseUrl}/orchestrators/{functionName}[/{instanceId}]`;
  const key = `code=${parts.systemKey}`;
  return JSON.stringify({
    taskHubName: parts.hubName,
    creationUrls: {
      createNewInstancePostUri: `${create}?${key}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${key}`,
    },
    managementUrls: managementUrls(parts, ID_PLACEHOLDER),
    baseUrl,
    requiredQueryStringParameters: key,
    rpcBaseUrl: `${baseUrl}/`,
  });
};
