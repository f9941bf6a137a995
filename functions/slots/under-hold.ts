import { randomUUID } from "node:crypto";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { leaveHold, renewHold } from "./mailbox-slots.ts";
import type { SlotHold } from "./slots.contract.ts";
import { type Held, whileRenewed } from "./while-renewed.ts";

/** A hold, as the wave that uses it sees it. */
export type HeldSlots = Held;

/** Of waves of runs that began before holds were renewed. */
const FOR_EVER: HeldSlots = { isHeld: () => true };

/**
 * Does a wave's work under the hold that it was given, and renews that hold until the work ends. Returns `undefined`
 * without beginning when the hold has run out or is another's: a delivery that waited in a queue must not send beside
 * those who hold the slots by now. Another delivery of the same wave is waited for.
 */
export const underHold = async <T>(
  work: Blobs,
  { mailboxKey, hold }: { readonly mailboxKey: MailboxKey; readonly hold: SlotHold | undefined },
  use: (slots: HeldSlots) => Promise<T>,
  holdMs?: number,
): Promise<T | undefined> => {
  if (hold === undefined) return use(FOR_EVER);
  const own = { ...hold, delivery: randomUUID() };
  return whileRenewed(
    {
      renew: (holdMs) => renewHold(work, mailboxKey, own, holdMs),
      leave: () => leaveHold(work, mailboxKey, own),
    },
    use,
    holdMs,
  );
};
