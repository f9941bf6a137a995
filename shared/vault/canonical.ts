/** JSON in the canonical form of RFC 8785 (sorted keys, no white space): equal documents have equal bytes. */
export const canonicalBytes = (document: unknown): Buffer => Buffer.from(JSON.stringify(sortKeys(document)), "utf8");

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
};
