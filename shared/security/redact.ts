/** Stands where a secret stood. */
const REDACTED = "[redacted]";

/** The rest of a value, up to a character that ends it in a URL, a header, JSON or a sentence. */
const VALUE = "[^\\s&\"'<>\\\\;,}\\]]+";

/** Names of secrets in queries, connection strings, forms and JSON. */
const NAMES = [
  "sig",
  "authtoken",
  "accountkey",
  "sharedaccesskey",
  "sharedaccesssignature",
  "(?:access|refresh|id)_?token",
  "token",
  "client_?secret",
  "client_?assertion",
  "assertion",
  "password",
  "pwd",
  "importurl",
  "storagelocation",
].join("|");

/** A URL, whose query is in doubt a secret. */
const withoutQuery = (url: string, upToQuery?: string): string =>
  upToQuery === undefined ? url : `${upToQuery}${REDACTED}`;

/**
 * Each takes time that grows with the text and no faster: what one has looked at, it does not look at from another
 * place again. A line of a log may hold what somebody sent.
 *
 * The shapes of secrets: whole queries of URLs (a SAS, an import URL), credentials in a URL, bearer tokens, JSON web
 * tokens (also with only two of their parts), and values under the name of a secret.
 */
const SHAPES: readonly (readonly [RegExp, string | ((found: string, ...groups: string[]) => string)])[] = [
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/"'<>\\@]+@/gi, `$1${REDACTED}@`],
  [/(\bhttps?:\/\/[^\s?"'<>\\]+\?)[^\s"'<>\\]+|\bhttps?:\/\/[^\s?"'<>\\]+/gi, withoutQuery],
  [/(\bbearer(?:\s|%20|\+)+)[^\s"'<>\\,;]+/gi, `$1${REDACTED}`],
  [/\beyJ[\w-]{6,}(?:\.[\w-]*){0,4}/g, (found) => (found.includes(".") ? REDACTED : found)],
  [new RegExp(`(\\b(?:${NAMES}|code)(?:=|%3d))${VALUE}`, "gi"), `$1${REDACTED}`],
  [new RegExp(`(["']?\\b(?:${NAMES})["']?\\s*:\\s*["'])[^"']*`, "gi"), `$1${REDACTED}`],
];

/** Removes secrets from a text that leaves the app: a log line, or an error on its way into a job's history. */
export type Redact = (text: string) => string;

/** Redacts texts that look like secrets, and the known secrets, plain or URL-encoded. */
export const redactor = (known: readonly string[]): Redact => {
  const spellings = [...new Set(known.filter((secret) => secret !== "").flatMap((s) => [s, encodeURIComponent(s)]))];
  const byLength = spellings.toSorted((a, b) => b.length - a.length);
  return (text) => {
    const withoutKnown = byLength.reduce((left, secret) => left.replaceAll(secret, REDACTED), text);
    return SHAPES.reduce(
      (left, [shape, instead]) =>
        typeof instead === "string" ? left.replace(shape, instead) : left.replace(shape, instead),
      withoutKnown,
    );
  };
};

/** Redacts message, stack and causes of an error in place, so that it keeps its class. */
export const redactError = (error: unknown, redact: Redact): unknown => {
  if (typeof error === "string") return redact(error);
  if (!(error instanceof Error)) return error;
  // Some errors, such as an abort's, have a message that cannot be assigned.
  const set = (key: string, value: unknown) =>
    Reflect.defineProperty(error, key, { value, configurable: true, writable: true });
  const isRedacted = set("message", redact(error.message)) && set("stack", redact(error.stack ?? ""));
  if (!isRedacted) return new Error(redact(String(error)));
  if (error.cause !== undefined) set("cause", redactError(error.cause, redact));
  if (error instanceof AggregateError)
    set(
      "errors",
      error.errors.map((each) => redactError(each, redact)),
    );
  return error;
};
