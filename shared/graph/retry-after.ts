/** Milliseconds that a `Retry-After` header asks for, in either of its forms (RFC 9110 10.2.3). */
export const retryAfterMs = (header: string | undefined, nowMs: number): number | undefined => {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  // `Date.parse` accepts numbers too: "-1" would be a day in 2001.
  const date = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
};
