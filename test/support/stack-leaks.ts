import { gunzipSync, inflateRawSync } from "node:zlib";

/** Marks of credentials, whoever they belong to: a SAS, an authorization header, an import URL and its token. */
const MARKS: readonly RegExp[] = [/[?&]sig=/, /\bBearer [\w.~+/-]/, /authtoken=/i, /\/importItem\?/i, /eyJhbGciOi/];

/** Deep enough for base64 inside a deflated entry; a bound, since decoding makes something of anything. */
const DEPTH = 3;

/** The secrets and marks found in bytes, and in what they hold in gzip, ZIP entries or base64. */
export const leaksIn = (bytes: Buffer, secrets: readonly string[], depth = DEPTH): string[] => {
  const text = bytes.toString("latin1");
  const found = [
    ...secrets.flatMap((secret, index) => (text.includes(secret) ? [`secret ${index}`] : [])),
    ...MARKS.filter((mark) => mark.test(text)).map(String),
  ];
  if (depth === 0 || found.length > 0) return found;
  return [...unzipped(bytes), ...decoded(text)].flatMap((inner) => leaksIn(inner, secrets, depth - 1));
};

const unzipped = (bytes: Buffer): Buffer[] => {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return [gunzipSync(bytes)];
  const entries: Buffer[] = [];
  for (let at = bytes.indexOf("PK\u0003\u0004"); at >= 0; at = bytes.indexOf("PK\u0003\u0004", at + 4)) {
    if (bytes.readUInt16LE(at + 8) !== 8) continue;
    const data = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    entries.push(inflateRawSync(bytes.subarray(data)));
  }
  return entries;
};

const decoded = (text: string): Buffer[] =>
  (text.match(/[A-Za-z0-9+/_-]{24,}={0,2}/g) ?? []).map((run) => Buffer.from(run, "base64url"));
