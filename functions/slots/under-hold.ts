import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { renewHold } from "./mailbox-slots.ts";
import type { SlotHold } from "./slots.contract.ts";

/** How long a renewed hold lasts: a wave that was killed keeps others waiting for no longer. */
const HOLD_MS = 2 * 60_000;

/** Several renewals may fail before the hold runs out. */
const RENEW_MS = 30_000;

/** A hold, as the wave that uses it sees it. */
export interface HeldSlots {
  /** Whether the slots are still the wave's: taken over by nobody, and renewed in time. */
  isHeld(): boolean;
}

/** Of waves of runs that began before holds were renewed. */
const FOR_EVER: HeldSlots = { isHeld: () => true };

/**
 * Does a wave's work under the hold that it was given, and renews that hold until the work ends. Returns `undefined`
 * without beginning when the hold has run out or is another's: a delivery that waited in a queue, or comes again after
 * a failure, must not send beside those who hold the slots by now.
 */
export const underHold = async <T>(
  work: Blobs,
  { mailboxKey, hold }: { readonly mailboxKey: MailboxKey; readonly hold: SlotHold | undefined },
  use: (slots: HeldSlots) => Promise<T>,
  { holdMs = HOLD_MS, renewMs = RENEW_MS } = {},
): Promise<T | undefined> => {
  if (hold === undefined) return use(FOR_EVER);
  let heldUntil = 0;
  const renew = async (): Promise<void> => {
    const now = Date.now();
    heldUntil = (await renewHold(work, mailboxKey, hold, now, holdMs)) ? now + holdMs : 0;
  };
  const slots: HeldSlots = { isHeld: () => Date.now() < heldUntil };

  await renew();
  if (!slots.isHeld()) return undefined;
  let renewing: Promise<void> | undefined;
  const timer = setInterval(() => {
    // One that fails is made up for by the next, or the hold runs out.
    renewing ??= renew()
      .catch(() => undefined)
      .finally(() => {
        renewing = undefined;
      });
  }, renewMs);
  try {
    return await use(slots);
  } finally {
    clearInterval(timer);
    await renewing;
  }
};
