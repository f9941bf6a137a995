/** How long a renewed hold lasts: a wave that was killed keeps others waiting for no longer. */
const HOLD_MS = 2 * 60_000;

/** Several renewals may fail before the hold runs out. */
const RENEW_MS = 30_000;

/** Storage tells its time in whole seconds: a hold may begin that much earlier than the work that renews it knows. */
const CLOCK_STEP_MS = 1_000;

/** Something that a piece of work holds for itself. */
export interface Held {
  /** Whether it is still the work's: taken over by nobody, and renewed in time. */
  isHeld(): boolean;
}

/** How long a hold lasts when it is renewed, and how often it is. */
export interface HoldTimes {
  readonly holdMs?: number;
  readonly renewMs?: number;
}

/**
 * Does a piece of work while it renews its hold. `renew` makes the hold last for `holdMs` by storage's clock, and
 * returns false when it is the work's no more. Returns `undefined` without beginning when the first renewal does.
 */
export const whileRenewed = async <T>(
  renew: (holdMs: number) => Promise<boolean>,
  work: (held: Held) => Promise<T>,
  { holdMs = HOLD_MS, renewMs = RENEW_MS }: HoldTimes = {},
): Promise<T | undefined> => {
  let heldUntil = 0;
  const renewOnce = async (): Promise<void> => {
    const asked = performance.now();
    heldUntil = (await renew(holdMs)) ? asked + holdMs - CLOCK_STEP_MS : 0;
  };
  const held: Held = { isHeld: () => performance.now() < heldUntil };

  await renewOnce();
  if (!held.isHeld()) return undefined;
  let renewing: Promise<void> | undefined;
  const timer = setInterval(() => {
    // One that fails is made up for by the next, or the hold runs out.
    renewing ??= renewOnce()
      .catch(() => undefined)
      .finally(() => {
        renewing = undefined;
      });
  }, renewMs);
  try {
    return await work(held);
  } finally {
    clearInterval(timer);
    await renewing;
  }
};
