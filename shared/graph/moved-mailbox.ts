/** Most moves that are followed one after the other: parts of an archive are one move apart. Our own choice. */
export const MAX_MOVES = 3;

/** Whether an export's code means that the item lies in another mailbox, which the message then names. */
export const isMoved = (code: string): boolean => code.toLowerCase() === "errorarchivefoldermovedpermanently";

/** The case varies: `/admin/Exchange/Mailboxes/` has been seen. */
const MAILBOX_PATH = /^\/(?:v1\.0|beta)\/admin\/exchange\/mailboxes\/([^/]+)(?:\/|$)/i;

const MAILBOX_ID = /^MBX:[\w-]+@[\w-]+$/i;

const EXPECTED_MAILBOX = /"Invalid import session\.[^"]* mailbox (MBX:[\w-]+@[\w-]+)\.?"/i;

/**
 * The mailbox that a URL names, if it is a mailbox of this endpoint. An expanded archive has some folders in auxiliary
 * archives, which it names by URL.
 * Source: learn.microsoft.com/graph/handle-archive-mailbox-redirects (2026-04).
 */
export const mailboxAt = (endpoint: string, link: string): string | undefined => {
  const url = URL.canParse(link, endpoint) ? new URL(link, endpoint) : undefined;
  if (url?.origin !== endpoint) return undefined;
  const id = MAILBOX_PATH.exec(url.pathname)?.[1]?.replace(/%3A/gi, ":").replace(/%40/g, "@");
  return id !== undefined && MAILBOX_ID.test(id) ? id : undefined;
};

/** The mailbox that an item must be imported into instead, if the body of a 409 names one. Source: as above. */
export const expectedMailbox = (body: string): string | undefined => EXPECTED_MAILBOX.exec(body)?.[1];

/**
 * The URL of a redirect's `Location`. If that has no query, it gets the query of the first request.
 *
 * @throws {Error} when it does not name a mailbox of the endpoint: the credential is never sent elsewhere.
 */
export const movedTarget = (endpoint: string, asked: string, location: string): string => {
  if (mailboxAt(endpoint, location) === undefined)
    throw new Error(`Graph named a redirect that is no mailbox at ${new URL(endpoint).host}: it is not followed`);
  const { pathname, search } = new URL(location, endpoint);
  return `${endpoint}${pathname}${search || new URL(asked).search}`;
};
