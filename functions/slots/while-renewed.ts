/** How long a renewed hold lasts: work that was killed keeps others waiting for no longer. Our own choice. */
const HOLD_MS = 45_000;

/** Storage tells its time in whole seconds: a hold may begin that much earlier than the work that renews it knows. */
const CLOCK_STEP_MS = 1_000;

/** How often, within the length of a hold, a delivery looks whether another one has ended. */
const LOOKS = 15;

/** By the same timers as the renewals, so that who moves the clock moves both. */
const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Something that a piece of work holds for itself. */
export interface Held {
  /** Whether it is still the work's: taken over by nobody, and renewed in time. */
  isHeld(): boolean;
}

/** `busy`: another delivery of the same work has it. `gone`: it is the work's no more. */
export type Renewal = "held" | "busy" | "gone";

/** How a piece of work renews its hold, and gives it back. */
interface Hold {
  /** Makes the hold last for `holdMs` by storage's clock. */
  renew(holdMs: number): Promise<Renewal>;
  /** Called when the work has ended and nothing is renewed any more. Where it fails, the hold runs out by itself. */
  leave(): Promise<unknown>;
}

/**
 * Does a piece of work while it renews its hold, three times within its length, so that one that fails is made up for.
 * Begins when another delivery of the work has ended. Returns `undefined` without beginning when the hold is gone.
 */
export const whileRenewed = async <T>(
  { renew, leave }: Hold,
  work: (held: Held) => Promise<T>,
  holdMs: number = HOLD_MS,
): Promise<T | undefined> => {
  let heldUntil = 0;
  const renewOnce = async (): Promise<Renewal> => {
    const asked = performance.now();
    const renewal = await renew(holdMs);
    heldUntil = renewal === "held" ? asked + holdMs - CLOCK_STEP_MS : 0;
    return renewal;
  };
  const held: Held = { isHeld: () => performance.now() < heldUntil };

  while ((await renewOnce()) === "busy") await delay(holdMs / LOOKS);
  if (!held.isHeld()) return undefined;
  let renewing: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    renewing ??= renewOnce()
      .catch(() => undefined)
      .finally(() => {
        renewing = undefined;
      });
  }, holdMs / 3);
  try {
    return await work(held);
  } finally {
    clearInterval(timer);
    await renewing;
    await leave().catch(() => undefined);
  }
};
