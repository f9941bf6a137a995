/** Microsoft Graph in the global cloud. */
export const GRAPH = "https://graph.microsoft.com";

export const BLOB_ENDPOINT = "should be the blob endpoint of the data account";

const isLoopback = (url: string): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);

const LOCAL_SETTINGS = ["LOCAL_BACKUP_TOKEN", "LOCAL_RESTORE_TOKEN", "LOCAL_PRIVACY_TOKEN", "LOCAL_WAIT_DIVISOR"];

/** Over TLS, unless it is to this machine. */
export const isHttps = (url: string): boolean =>
  URL.canParse(url) && (new URL(url).protocol === "https:" || isLoopback(url));

/**
 * The conflicts between settings, found even when single settings are wrong. `WEBSITE_AUTH_ENABLED` is set by the
 * platform. Source: learn.microsoft.com/azure/app-service/reference-app-settings (read 2026-11).
 */
export const conflictsIn = (env: Readonly<Record<string, string | undefined>>): string[] => {
  const endpoint = env["GRAPH_ENDPOINT"] ?? GRAPH;
  const wrong: string[] = [];
  if (env["VAULT_BLOB_ENDPOINT"] === undefined && env["VAULT_CONNECTION_STRING"] === undefined)
    wrong.push(`VAULT_BLOB_ENDPOINT ${BLOB_ENDPOINT}`);
  const isDelegated = env["ID_TRANSLATION"] === "delegated";
  for (const setting of ["ID_TRANSLATION_TENANT_ID", "ID_TRANSLATION_CLIENT_ID"])
    if (isDelegated && env[setting] === undefined)
      wrong.push(`${setting} is needed where ID_TRANSLATION is 'delegated'`);
  if (!URL.canParse(endpoint)) return wrong;
  const isPlain = new URL(endpoint).protocol === "http:";
  if (env["AUTHENTICATION"] === "none" && !(isPlain && isLoopback(endpoint)))
    wrong.push(
      "AUTHENTICATION 'none' is for the emulator only: remove it, or point GRAPH_ENDPOINT at http on this machine",
    );
  if (isDelegated && isPlain && isLoopback(endpoint))
    wrong.push("ID_TRANSLATION 'delegated' needs Microsoft Entra, which the emulator does not have: remove it");
  if (isLoopback(endpoint)) return wrong;
  if (env["AUTHENTICATION"] !== "none" && env["WEBSITE_AUTH_ENABLED"]?.toLowerCase() !== "true")
    wrong.push(
      "AUTHENTICATION 'platform' needs the platform's authentication: turn it on, or anyone can say who they are",
    );
  if (new URL(endpoint).protocol !== "https:") wrong.push("GRAPH_ENDPOINT should be https: tokens are sent to it");
  for (const setting of LOCAL_SETTINGS) {
    if (env[setting] !== undefined)
      wrong.push(`${setting} is for the emulator only: remove it, or point GRAPH_ENDPOINT at this machine`);
  }
  return wrong;
};
