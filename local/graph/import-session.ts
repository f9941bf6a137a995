import { z } from "zod";
import { GraphFailure } from "./errors.ts";
import { contextUrl, type MailboxCall, type Reply, type World } from "./world.ts";

const ImportSession = z.object({
  importFor: z.string(),
  appId: z.string(),
  expires: z.number(),
  version: z.enum(["v1.0", "beta"]),
});
export type ImportSession = z.infer<typeof ImportSession>;

/** The start of every JSON web token: import URLs carry one. */
const TOKEN_START = "eyJhbGciOiJSUzI1NiJ9.";
const IMPORT_PATH = /^\/api\/g(v1\.0|beta)\/Mailboxes\('([^']+)'\)\/importItem$/;

/** POST .../createImportSession. @doc Body empty or `{}`. @guess The lifetime; several sessions at once are fine. */
export const createImportSession = (call: MailboxCall): Reply => {
  const { world, mailbox } = call;
  const { behaviours } = world.settings();
  const expires = world.now() + behaviours.sessionLifetimeMs;
  const session: ImportSession = { importFor: mailbox.id, appId: call.appId, expires, version: call.version };
  const token = TOKEN_START + world.tokens.seal(session);
  return {
    status: behaviours.sessionStatus,
    json: {
      "@odata.context": contextUrl(call, "microsoft.graph.mailboxItemImportSession"),
      importUrl:
        `${world.importOrigin()}/api/g${call.version}` + `/Mailboxes('${mailbox.id}')/importItem?authtoken=${token}`,
      expirationDateTime: new Date(expires).toISOString().replace("Z", "0000Z"),
    },
  };
};

/**
 * Reads the session out of an import URL, which must be exactly as it was given.
 *
 * @doc The URL is the credential and expires. @guess An expired or altered one is 401 (a switch).
 */
export const readImportSession = (world: World, url: URL): ImportSession => {
  const { behaviours } = world.settings();
  const refuse = (message: string) =>
    new GraphFailure(behaviours.sessionRefusedStatus, "InvalidAuthenticationToken", message, {
      shape: behaviours.importErrorShape,
    });
  const [, version, mailboxId] = IMPORT_PATH.exec(decodeURIComponent(url.pathname)) ?? [];
  if (mailboxId === undefined) throw new GraphFailure(404, "ResourceNotFound", "Resource not found.");

  const { search } = url;
  const start = `?authtoken=${TOKEN_START}`;
  const session = ImportSession.safeParse(
    search.startsWith(start) ? world.tokens.open(search.slice(start.length)) : {},
  );
  if (!session.success || session.data.importFor !== mailboxId || session.data.version !== version) {
    throw refuse("The import session token is not valid.");
  }
  if (session.data.expires <= world.now()) throw refuse("The import session has expired.");
  return session.data;
};
