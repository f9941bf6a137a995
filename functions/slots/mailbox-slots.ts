import * as z from "zod";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { type Blobs, updateByStorageClock } from "../../shared/storage/blobs.ts";
import { type SlotHold, SlotUser } from "./slots.contract.ts";
import type { Renewal } from "./while-renewed.ts";

const Milliseconds = z.number();

/** Who holds slots of a mailbox, or waits for some with none. */
const Holder = z.object({
  user: SlotUser,
  asking: z.string(),
  askedAt: Milliseconds.optional(),
  slots: z.int().nonnegative(),
  /** What it asked for; of a record of an earlier version, what it got. */
  wanted: z.int().nonnegative().optional(),
  /** Since when it holds some, or waits with none. */
  since: Milliseconds.optional(),
  /** The job to wake when slots become free. */
  job: z.string().optional(),
  /** Until when it counts: the slots of a job that died become free, and its place in the queue. */
  until: Milliseconds,
  /** The delivery of a wave that is at work under the hold, and until when that counts. */
  use: z.object({ delivery: z.string(), until: Milliseconds }).optional(),
  /** Given back while a wave was still at work: the wave is to end, and the slots are free then. */
  isEnding: z.literal(true).optional(),
});
type Holder = z.output<typeof Holder>;

/** The holders of a mailbox's slots, by the clock of storage, which all processes share. */
const Slots = z.object({ holders: z.record(z.string(), Holder) });
type Slots = z.output<typeof Slots>;
const NOBODY: Slots = { holders: {} };

/** How long one that waits keeps its place: it asks again within 30 s. */
const KEEPS_PLACE_MS = 90_000;

/** How long a hold lasts between two waves: the task hub may take its time. */
const IDLE_MS = 2 * 60_000;

/** One that has waited for longer than a wave lasts is served first, whoever it is. Our own choice. */
const LONG_WAIT_MS = 2 * 60_000;

const slotsName = (key: MailboxKey): string => `slots/${key}.json`;

export interface SlotRequest {
  readonly holder: string;
  readonly user: SlotUser;
  /** The job to wake when slots become free while it waits. */
  readonly job?: string | undefined;
  /** A different one for each request, so that a second delivery of one is recognised. */
  readonly asking: string;
  /** When it was asked, by the job's own clock: an older request is not heard any more. */
  readonly askedAt?: number | undefined;
  readonly wanted: number;
  readonly holdMs: number;
}

/** What a request got, and the jobs that wait for slots of which some are free now. */
export interface SlotGrant {
  readonly granted: number;
  readonly toWake: readonly string[];
}

/**
 * Takes slots of a mailbox for one holder until it asks again, releases them, or the hold expires. All holders together
 * never hold more than the mailbox has, in whichever processes they run: the record changes under its ETag, and holds
 * run by storage's clock. Each one gets its share: one slot for everybody, as far as they go, and the rest to
 * whoever comes first and wants them. Nobody loses a slot before it asks again, and nobody
 * gets others while a wave is still at work under what it got before.
 *
 * Run twice, a live hold stays as the first delivery granted it: its lanes may be at work.
 */
export const takeSlots = async (work: Blobs, key: MailboxKey, request: SlotRequest): Promise<SlotGrant> => {
  let toWake: readonly string[] = [];
  const slots = await updateByStorageClock(work, slotsName(key), Slots, NOBODY, (current, nowMs) => {
    const next = share(current, request, nowMs);
    toWake = freeSlots(Object.values(next.holders)) > 0 ? waitingJobs(next, request.holder) : [];
    return next;
  });
  const own = slots.holders[request.holder];
  return { granted: own === undefined || own.isEnding ? 0 : own.slots, toWake };
};

/** A delivery of a wave that is to work under a hold. */
export interface HoldUse extends SlotHold {
  readonly delivery: string;
}

/**
 * Makes a live hold last for `holdMs` from now, for one delivery of a wave. `busy`: another delivery is at work under
 * it. `gone`: it has run out, its holder has asked anew or given it back, or it is of none.
 */
export const renewHold = async (
  work: Blobs,
  key: MailboxKey,
  { holder, asking, delivery }: HoldUse,
  holdMs: number,
): Promise<Renewal> => {
  let renewal: Renewal = "gone";
  await updateByStorageClock(work, slotsName(key), Slots, NOBODY, (current, nowMs) => {
    const own = current.holders[holder];
    const isLive = own?.asking === asking && own.slots > 0 && own.until > nowMs && !own.isEnding;
    const isOthers = own?.use !== undefined && own.use.delivery !== delivery && own.use.until > nowMs;
    renewal = !isLive ? "gone" : isOthers ? "busy" : "held";
    if (own === undefined || renewal !== "held") return current;
    const until = nowMs + holdMs;
    return { holders: { ...current.holders, [holder]: { ...own, until, use: { delivery, until } } } };
  });
  return renewal;
};

/** The delivery has ended: its job asks next. Where its hold was given back meanwhile, the slots are free. */
export const leaveHold = async (
  work: Blobs,
  key: MailboxKey,
  { holder, delivery }: Omit<HoldUse, "asking">,
): Promise<void> => {
  await updateByStorageClock(work, slotsName(key), Slots, NOBODY, ({ holders }, nowMs) => {
    const { [holder]: own, ...others } = holders;
    if (own?.use?.delivery !== delivery) return { holders };
    const { use: _, ...rest } = own;
    return { holders: own.isEnding ? others : { ...others, [holder]: { ...rest, until: nowMs + IDLE_MS } } };
  });
};

const share = ({ holders }: Slots, request: SlotRequest, nowMs: number): Slots => {
  const { holder, user, job, asking, askedAt, wanted, holdMs } = request;
  const earlier = holders[holder];
  const until = nowMs + holdMs;
  // A release that is delivered again, when its holder has asked anew, takes nothing from it.
  if (wanted === 0 && earlier?.asking !== asking) return { holders };
  if (earlier?.use !== undefined && earlier.use.until > nowMs && (wanted === 0 || earlier.asking !== asking))
    return { holders: { ...holders, [holder]: { ...earlier, isEnding: true } } };
  if (wanted > 0 && (askedAt ?? 0) < (earlier?.askedAt ?? 0)) return { holders };
  if (wanted > 0 && earlier?.asking === asking && earlier.until > nowMs && earlier.slots > 0)
    return { holders: { ...holders, [holder]: { ...earlier, until } } };

  const others = Object.fromEntries(
    Object.entries(holders).filter(([name, { until }]) => name !== holder && until > nowMs),
  );
  if (wanted === 0) return { holders: others };
  const before = earlier !== undefined && earlier.until > nowMs ? earlier : { slots: 0, since: nowMs };
  const asked = { asking, ...(askedAt !== undefined && { askedAt }), ...(job !== undefined && { job }) };
  const own: Holder = { user, ...asked, wanted, slots: before.slots, since: before.since ?? nowMs, until };
  const rivals = Object.values(others);
  const slots = Math.min(shareOf(own, rivals, nowMs), freeSlots(rivals));
  const since = slots > 0 === before.slots > 0 ? own.since : nowMs;
  const lasts = slots > 0 ? until : nowMs + KEEPS_PLACE_MS;
  return { holders: { ...others, [holder]: { ...own, slots, since, until: lasts } } };
};

/** What one is to get: each gets one slot, in their order, and then each as many of the rest as it wants. */
const shareOf = (own: Holder, rivals: readonly Holder[], nowMs: number): number => {
  const inOrder = [own, ...rivals].toSorted((a, b) => compare(a, b, nowMs));
  let left = MAILBOX_SLOTS;
  const shares = new Map<Holder, number>();
  const give = (each: Holder, slots: number): void => {
    const given = Math.max(0, Math.min(left, slots));
    shares.set(each, (shares.get(each) ?? 0) + given);
    left -= given;
  };
  for (const each of inOrder) give(each, 1);
  for (const each of inOrder) give(each, wantedOf(each) - 1);
  return shares.get(own) ?? 0;
};

const wantedOf = ({ wanted, slots }: Holder): number => Math.max(1, wanted ?? slots);

/** By rank, then those that wait, the longest first, then those that hold some, the latest first. */
const compare = (a: Holder, b: Holder, nowMs: number): number => {
  const sinceOf = ({ since = 0 }: Holder): number => since;
  const waits = (holder: Holder): boolean => holder.slots === 0;
  const order = rankOf(a, nowMs) - rankOf(b, nowMs) || Number(waits(b)) - Number(waits(a));
  return order || (waits(a) ? sinceOf(a) - sinceOf(b) : sinceOf(b) - sinceOf(a));
};

const rankOf = ({ user, slots, since }: Holder, nowMs: number): number =>
  slots === 0 && nowMs - (since ?? nowMs) > LONG_WAIT_MS ? -1 : SlotUser.options.indexOf(user);

const freeSlots = (holders: readonly Holder[]): number =>
  MAILBOX_SLOTS - holders.reduce((sum, { slots }) => sum + slots, 0);

const waitingJobs = ({ holders }: Slots, asking: string): string[] =>
  Object.entries(holders).flatMap(([name, { slots, job }]) =>
    name !== asking && slots === 0 && job !== undefined ? [job] : [],
  );
