/** Longer waits are asked for anew after this time. Our own choice: a header of days would stop a job for days. */
const MAX_ASKED_MS = 60 * 60_000;

/** Milliseconds that a `Retry-After` header asks for, in either of its forms (RFC 9110 10.2.3): an hour at most. */
export const retryAfterMs = (header: string | undefined, nowMs: number): number | undefined => {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Math.min(MAX_ASKED_MS, Number(header) * 1000);
  // `Date.parse` accepts numbers too: "-1" would be a day in 2001.
  const date = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(MAX_ASKED_MS, Math.max(0, date - nowMs));
};
