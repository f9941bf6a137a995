import * as z from "zod";
import type { GraphClient } from "./graph-client.ts";
import { type MailboxAddress, mailboxPath } from "./mailbox-address.ts";

const SessionResource = z.looseObject({ importUrl: z.url(), expirationDateTime: z.iso.datetime({ offset: true }) });

/** The URL to import items to, and when it expires. The URL is a credential. */
export interface LiveImportSession {
  readonly url: string;
  readonly expires: string;
}

/**
 * Opens an import session, for any number of items and any folder of the mailbox.
 *
 * @throws {Error} when Graph names a host that is not on the list: nothing is ever sent to another host.
 */
export const openImportSession = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  hosts: readonly string[],
): Promise<LiveImportSession> => {
  const session = await graph.json(
    { operation: "POST createImportSession", target: `${mailboxPath(mailbox)}/createImportSession`, method: "POST" },
    SessionResource,
  );
  assertImportHost(session.importUrl, hosts);
  return { url: session.importUrl, expires: new Date(session.expirationDateTime).toISOString() };
};

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** @throws {Error} unless the URL's host is on the list, and its protocol is https or its host the local machine. */
export const assertImportHost = (url: string, hosts: readonly string[]): void => {
  const { host, protocol } = new URL(url);
  if (!hosts.includes(host))
    throw new Error(`The import session names the host ${host}, which IMPORT_HOSTS does not allow`);
  if (protocol !== "https:" && !LOOPBACK.test(host)) throw new Error("The import session's URL is not https");
};
