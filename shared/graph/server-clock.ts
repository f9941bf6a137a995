/** Exchange's own clock, as the `Date` of its answers shows it. The times of items are by that clock. */
export interface ServerClock {
  /** Notes the `Date` of an answer that has just arrived. */
  note(date: string | undefined): void;
  /** Milliseconds since the epoch, never too late; `undefined` before the first answer. */
  now(): number | undefined;
}

/**
 * Each `Date` is cut to a second and was under way for a while, so the largest difference to the own clock is the one
 * that is nearest to the truth.
 */
export const serverClock = (ownNow: () => number = Date.now): ServerClock => {
  let aheadMs: number | undefined;
  return {
    note: (date) => {
      const told = Date.parse(date ?? "");
      if (!Number.isNaN(told)) aheadMs = Math.max(aheadMs ?? Number.NEGATIVE_INFINITY, told - ownNow());
    },
    now: () => (aheadMs === undefined ? undefined : ownNow() + aheadMs),
  };
};
