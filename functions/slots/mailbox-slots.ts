import * as z from "zod";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { type Blobs, updateJson } from "../../shared/storage/blobs.ts";
import type { SlotHold, SlotUser } from "./slots.contract.ts";

const Holder = z.object({
  user: z.enum(["backup", "restore"]),
  asking: z.string(),
  slots: z.int().nonnegative(),
  /** Milliseconds since the epoch: the slots of a job that died expire. */
  until: z.number(),
});

/** The holders of a mailbox's slots. A holder of none waits, which the next ones can see. */
const Slots = z.object({ holders: z.record(z.string(), Holder) });
type Slots = z.output<typeof Slots>;

/** Slots that a backup keeps while a restore works on its mailbox. */
const LEFT_TO_BACKUP = 1;

const slotsName = (key: MailboxKey): string => `slots/${key}.json`;

export interface SlotRequest {
  readonly holder: string;
  readonly user: SlotUser;
  /** A different one for each request, so that a second delivery of one is recognised. */
  readonly asking: string;
  readonly wanted: number;
  readonly holdMs: number;
}

/**
 * Takes slots of a mailbox for one holder until it asks again, releases them, or the hold expires. All holders together
 * never hold more than the mailbox has, in whichever processes they run: the record changes under its ETag.
 *
 * Run twice, a live hold stays as the first delivery granted it: its lanes may be at work.
 */
export const takeSlots = async (work: Blobs, key: MailboxKey, request: SlotRequest, nowMs: number): Promise<number> => {
  const slots = await updateJson(work, slotsName(key), Slots, (current = { holders: {} }) =>
    share(current, request, nowMs),
  );
  return slots.holders[request.holder]?.slots ?? 0;
};

/**
 * Makes a live hold last until `holdMs` from now; false for one that has run out, that its holder has asked anew or
 * given back, or that is of none.
 */
export const renewHold = async (
  work: Blobs,
  key: MailboxKey,
  { holder, asking }: SlotHold,
  nowMs: number,
  holdMs: number,
): Promise<boolean> => {
  let isHeld = false;
  await updateJson(work, slotsName(key), Slots, (current = { holders: {} }) => {
    const own = current.holders[holder];
    isHeld = own?.asking === asking && own.slots > 0 && own.until > nowMs;
    if (own === undefined || !isHeld) return current;
    return { holders: { ...current.holders, [holder]: { ...own, until: Math.max(own.until, nowMs + holdMs) } } };
  });
  return isHeld;
};

const share = ({ holders }: Slots, request: SlotRequest, nowMs: number): Slots => {
  const { holder, user, asking, wanted, holdMs } = request;
  const own = holders[holder];
  const until = nowMs + holdMs;
  if (own?.asking === asking && own.until > nowMs) return { holders: { ...holders, [holder]: { ...own, until } } };
  const others = Object.fromEntries(
    Object.entries(holders).filter(([name, { until }]) => name !== holder && until > nowMs),
  );
  if (wanted === 0) return { holders: others };
  const rivals = Object.values(others);
  const free = MAILBOX_SLOTS - rivals.reduce((sum, { slots }) => sum + slots, 0);
  const isShared = rivals.some((rival) => rival.user !== user);
  const max = !isShared ? MAILBOX_SLOTS : user === "backup" ? LEFT_TO_BACKUP : MAILBOX_SLOTS - LEFT_TO_BACKUP;
  const granted = Math.max(0, Math.min(wanted, max, free));
  return { holders: { ...others, [holder]: { user, asking, slots: granted, until } } };
};
