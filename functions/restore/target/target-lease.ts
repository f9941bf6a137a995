import * as z from "zod";
import { type MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, parseJson, readJson, updateByStorageClock, updateJson } from "../../../shared/storage/blobs.ts";

/** By the clock of storage, which all processes share. */
const Milliseconds = z.number();

/** The restore that has a mailbox to itself. */
const Holder = z.object({
  restoreId: RunId,
  /** When it took the mailbox. Its job may begin a little later. */
  since: Milliseconds,
  /** Its report is written. */
  ended: z.boolean().default(false),
  /** Its activities that are at work, each by a name of its own, and until when each counts. */
  atWork: z.record(z.string(), Milliseconds),
});
type Holder = z.output<typeof Holder>;

/** A restore that waits for the mailbox, and when it asked last. */
const Waiter = z.object({ restoreId: RunId, asked: Milliseconds });

/** Who has a mailbox to restore into, and who waits for it, in the order in which they came. */
const Lease = z.object({ holder: Holder.optional(), waiting: z.array(Waiter) });
type Lease = z.output<typeof Lease>;

const NOBODY: Lease = { waiting: [] };

const TARGETS = "targets/";
const leaseName = (key: MailboxKey): string => `${TARGETS}${key}.json`;

/** How long a restore keeps its mailbox, or its turn, without a job: starting one takes seconds. */
const STARTING_MS = 2 * 60_000;

/** A restore that waits asks again within this time, unless it is paused. Others do not wait for a paused one. */
const ASKS_AGAIN_MS = 90_000;

/** What is known of a restore's job. `unknown`: it has not begun yet, or its history was purged. */
export type JobLife = "alive" | "ended" | "unknown";

/**
 * A restore that asks for its mailbox. With `waits`, it keeps its turn until it asks again. One that is `planned` has
 * had the mailbox before: it may only go on where no other job has had it since.
 */
export interface TargetRequest {
  readonly restoreId: RunId;
  readonly waits: boolean;
  readonly planned?: boolean;
}

/**
 * `true`, or the restore that has the mailbox or gets it next, and how many come before this one. `passed-on`: another
 * job has had the mailbox since the restore was planned, so that its plan may import what is there by now.
 */
export type TargetAnswer = true | "passed-on" | { readonly first: RunId; readonly ahead: number };

/**
 * Takes a mailbox for one restore, for as long as its job is alive or its activities are at work, and until its report
 * is written. First come, first served. No clock ends it: a restore may be paused for days.
 *
 * Run twice, the restore has the mailbox already.
 */
export const takeTarget = async (
  work: Blobs,
  key: MailboxKey,
  { restoreId, waits, planned = false }: TargetRequest,
  lifeOf: (restoreId: RunId) => Promise<JobLife>,
): Promise<TargetAnswer> => {
  const lives = await livesOf(await readJson(work, leaseName(key), Lease), restoreId, lifeOf);
  let answer: TargetAnswer = true;
  await updateByStorageClock(work, leaseName(key), Lease, NOBODY, (current, nowMs) => {
    const isGone = goneBy(lives, nowMs);
    const holder = current.holder && isFree(current.holder, isGone, nowMs) ? undefined : current.holder;
    const queue = current.waiting.filter(
      (waiter) =>
        waiter.restoreId === restoreId ||
        (!isGone(waiter.restoreId, waiter.asked) && nowMs < waiter.asked + ASKS_AGAIN_MS),
    );
    const others = queue.filter((waiter) => waiter.restoreId !== restoreId);
    const position = queue.findIndex((waiter) => waiter.restoreId === restoreId);
    const before = position === -1 ? others : queue.slice(0, position);
    const [next] = before;
    answer = planned && current.holder?.restoreId !== restoreId ? "passed-on" : true;
    if (answer === "passed-on") return { ...current, waiting: others };
    if (holder?.restoreId === restoreId) return { holder: { ...holder, ended: false }, waiting: others };
    if (holder === undefined && next === undefined)
      return { holder: { restoreId, since: nowMs, ended: false, atWork: {} }, waiting: others };

    answer = {
      first: (holder ?? (next as NonNullable<typeof next>)).restoreId,
      ahead: before.length + (holder === undefined ? 0 : 1),
    };
    const own = waits ? [{ restoreId, asked: nowMs }] : [];
    // The last holder stays known, also when it has ended: see `planned`.
    return { ...current, waiting: [...before, ...own, ...others.slice(before.length)] };
  });
  return answer;
};

/** What is known of the other restores in a lease. */
const livesOf = async (
  lease: Lease | undefined,
  asking: RunId | undefined,
  lifeOf: (restoreId: RunId) => Promise<JobLife>,
): Promise<ReadonlyMap<RunId, JobLife>> => {
  const lives = new Map<RunId, JobLife>();
  if (lease === undefined) return lives;
  const { holder, waiting } = lease;
  for (const { restoreId } of [...(holder === undefined ? [] : [holder]), ...waiting])
    if (restoreId !== asking) lives.set(restoreId, await lifeOf(restoreId));
  return lives;
};

/** Whether a restore's job has ended, or never began, though it should have by now. */
const goneBy =
  (lives: ReadonlyMap<RunId, JobLife>, nowMs: number) =>
  (restoreId: RunId, since: number): boolean => {
    const life = lives.get(restoreId);
    return life === "ended" || (life === "unknown" && nowMs > since + STARTING_MS);
  };

/** Nothing that the restore began is under way any more, and it has ended. */
const isFree = (
  { restoreId, since, ended, atWork }: Holder,
  isGone: (restoreId: RunId, since: number) => boolean,
  nowMs: number,
): boolean => (ended || isGone(restoreId, since)) && Object.values(atWork).every((until) => until <= nowMs);

/** An activity of a restore: each delivery of it has a name of its own. */
export interface TargetWork {
  readonly restoreId: RunId;
  readonly delivery: string;
}

/** Makes an activity count as at work for `holdMs`; false when its restore does not have the mailbox. */
export const keepTarget = async (
  work: Blobs,
  key: MailboxKey,
  { restoreId, delivery }: TargetWork,
  holdMs: number,
): Promise<boolean> => {
  let isHeld = false;
  await updateByStorageClock(work, leaseName(key), Lease, NOBODY, (current, nowMs) => {
    const { holder } = current;
    isHeld = holder?.restoreId === restoreId && !holder.ended;
    if (holder === undefined || !isHeld) return current;
    return { ...current, holder: { ...holder, atWork: { ...holder.atWork, [delivery]: nowMs + holdMs } } };
  });
  return isHeld;
};

/** The activity has ended. */
export const leaveTarget = (work: Blobs, key: MailboxKey, { restoreId, delivery }: TargetWork): Promise<Lease> =>
  changeHolder(work, key, restoreId, ({ atWork: { [delivery]: _, ...atWork }, ...holder }) => ({ ...holder, atWork }));

/** The restore has ended: the next one has the mailbox once its activities have ended too. */
export const endTarget = (work: Blobs, key: MailboxKey, restoreId: RunId): Promise<Lease> =>
  changeHolder(work, key, restoreId, (holder) => ({ ...holder, ended: true }));

/** Since when a restore has its mailbox, without another one in between; `undefined` when it does not have it. */
export const tenureOf = async (work: Blobs, key: MailboxKey, restoreId: RunId): Promise<number | undefined> => {
  const holder = (await readJson(work, leaseName(key), Lease))?.holder;
  return holder?.restoreId === restoreId ? holder.since : undefined;
};

/** The restore, or the undo, that has a mailbox or had it last; `undefined` when it is not known. */
export const lastHolder = async (work: Blobs, key: MailboxKey): Promise<RunId | undefined> =>
  (await readJson(work, leaseName(key), Lease))?.holder?.restoreId;

/**
 * Removes the leases of mailboxes that no restore has or waits for, once the history of the last one is purged: until
 * then it may be resumed. Returns their number. Each goes in the version that was read: a restore that takes the
 * mailbox meanwhile has it.
 */
export const tidyTargets = async (work: Blobs, lifeOf: (restoreId: RunId) => Promise<JobLife>): Promise<number> => {
  let removed = 0;
  for await (const { name } of work.list(TARGETS)) {
    const found = await work.readWhole(name);
    if (found === undefined) continue;
    const { holder, waiting } = parseJson(name, found.body, Lease);
    const nowMs = found.at ?? Date.now();
    const lives = await livesOf({ holder, waiting }, undefined, lifeOf);
    const isGone = goneBy(lives, nowMs);
    const isKept =
      holder !== undefined && (lives.get(holder.restoreId) !== "unknown" || !isFree(holder, isGone, nowMs));
    if (isKept || waiting.some(({ restoreId, asked }) => !isGone(restoreId, asked))) continue;
    if ((await work.remove(name, found.etag)) === "removed") removed += 1;
  }
  return removed;
};

const changeHolder = (
  work: Blobs,
  key: MailboxKey,
  restoreId: RunId,
  change: (holder: Holder) => Holder,
): Promise<Lease> =>
  updateJson(work, leaseName(key), Lease, (current = NOBODY) =>
    current.holder?.restoreId === restoreId ? { ...current, holder: change(current.holder) } : current,
  );
