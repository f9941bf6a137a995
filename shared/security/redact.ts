/** Stands where a secret stood. */
const REDACTED = "[redacted]";

/** What follows the first character of a value, up to what ends it in a URL, a header, JSON or a sentence. */
const VALUE = "[^\\s&\"'<>\\\\;,}\\]]+";

/** Names under which secrets travel in queries, connection strings, forms and JSON. */
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

/**
 * What secrets look like, wherever they stand: whole queries of URLs (a SAS, an import URL), credentials in a URL, bearer
 * tokens, JSON web tokens (also with only two of their parts), and values under a telling name.
 */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/"'<>\\@]+@/gi, `$1${REDACTED}@`],
  [/(\bhttps?:\/\/[^\s?"'<>\\]+\?)[^\s"'<>\\]+/gi, `$1${REDACTED}`],
  [/(\bbearer(?:\s|%20|\+)+)[^\s"'<>\\,;]+/gi, `$1${REDACTED}`],
  [/\beyJ[\w-]{6,}(?:\.[\w-]*){1,4}/g, REDACTED],
  [new RegExp(`(\\b(?:${NAMES}|code)(?:=|%3d))${VALUE}`, "gi"), `$1${REDACTED}`],
  [new RegExp(`(["']?\\b(?:${NAMES})["']?\\s*:\\s*["'])[^"']*`, "gi"), `$1${REDACTED}`],
];

/** Takes secrets out of a text that leaves the app: a log line, or an error on its way into a job's history. */
export type Redact = (text: string) => string;

/** Redacts what looks like a secret, and the secrets that are known, whatever they look like, plain or encoded in a URL. */
export const redactor = (known: readonly string[]): Redact => {
  const spellings = [...new Set(known.filter((secret) => secret !== "").flatMap((s) => [s, encodeURIComponent(s)]))];
  const byLength = spellings.toSorted((a, b) => b.length - a.length);
  return (text) => {
    const withoutKnown = byLength.reduce((left, secret) => left.replaceAll(secret, REDACTED), text);
    return SHAPES.reduce((left, [shape, instead]) => left.replace(shape, instead), withoutKnown);
  };
};

/** The error as it may be shown: its message, stack and causes redacted in place, so that it keeps its class. */
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
