import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { addCounts } from "../../../shared/contracts/add-counts.ts";
import { implement } from "../../../shared/durable/activity.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { bodyBytes, type ItemImporter, type OpenImporter } from "../../../shared/graph/import-item.ts";
import { openImportSession } from "../../../shared/graph/import-session.ts";
import { type MailboxGates, mailboxGates } from "../../../shared/graph/mailbox-gate.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import { serverClock } from "../../../shared/graph/server-clock.ts";
import { memoize } from "../../../shared/memoize.ts";
import { type Outage, outageOf } from "../../../shared/outage.ts";
import type { Sealer } from "../../../shared/security/seal.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { whileWatched } from "../../jobs/watch-wish.ts";
import { underHold } from "../../slots/under-hold.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { type RestoreTotals, uploadWave } from "../restore.contract.ts";
import { ledgerName, type RestoreItem, readFolderMap, readRestoreChunk, readRestorePlan } from "../restore-state.ts";
import { underLease } from "../target/under-lease.ts";
import { sessionPurpose } from "./create-import-session.activity.ts";
import { type FinishedItem, type ItemQueue, itemQueue } from "./item-queue.ts";
import { type Ledgers, whileHeld } from "./ledger.ts";
import { type LiveProgress, whileShown } from "./live-progress.ts";
import { lookAgain, sendItem } from "./settle-item.ts";
import { keepUploadBudget, openUploadBudget } from "./upload-budget.ts";
import { type UploadOutcome, type UploadWork, uploadLanes } from "./upload-lanes.ts";

/** A session with less time left is not used. Source: what a mailbox copy product does in production. */
const SESSION_RESERVE_MS = 5 * 60_000;

/** The share of a short session's life that is not used: how long sessions live is not documented. */
const RESERVED_SHARE = 1 / 5;

/** A wave with a short budget still waits out a passing refusal. */
const MIN_DEADLINE_MS = 30_000;

/**
 * Lanes beyond the slots: they read the vault and write ledgers while the slots wait for Exchange. One for each slot,
 * so that the next item is ready when a request ends.
 */
const SPARE_LANES = 4;

const NOTHING_YET: RestoreTotals = { imported: 0, replaced: 0, ambiguous: 0, failed: 0, bytes: 0, throttled: 0 };

type Input = z.output<typeof uploadWave.input>;
type Output = z.output<typeof uploadWave.output>;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly openImporter: OpenImporter;
  readonly importHosts: readonly string[];
  readonly sealer: Sealer;
  readonly vault: Blobs;
  readonly work: Blobs;
  /** How long the mailbox and slots are held without being renewed. */
  readonly holdMs?: number | undefined;
  readonly state: Blobs;
  readonly ledgers: Ledgers;
  /** How long to wait before an import without an answer is looked for again. */
  readonly firstLookMs: number;
  /** Closed for all lanes of the process while Exchange asks for a wait. */
  readonly gates?: MailboxGates;
}

/** Longer waits are durable, and hold no slots. */
const IDLE_MS = 1_000;

/**
 * One wave: lanes import items until all are settled, time is up, the session ends, Graph or storage is away, or
 * nothing more can be imported. In an outage it returns what it did and how long to wait.
 *
 * Run twice, even at the same time: each chunk's ledger has one writer at a time and says what was imported. An import
 * whose outcome it does not know is looked for in the mailbox before the next try. A delivery whose hold on the slots
 * is gone, or whose mailbox is another restore's, does nothing.
 */
export const uploadWaveActivity = (deps: Deps): ActivityHandler =>
  implement(uploadWave, async (input): Promise<Output> => {
    const use = { mailboxKey: input.mailbox.key, hold: input.hold };
    try {
      const { work, state, holdMs } = deps;
      const both = (slots: Held, lease: Held): Held => ({ isHeld: () => slots.isHeld() && lease.isHeld() });
      const run = (slots: Held, lease: Held): Promise<Output> =>
        whileWatched(state, input.jobs ?? [], (told) => runWave(deps, input, both(slots, lease), { lease, told }));
      const done = await underLease(
        work,
        input,
        (lease) => underHold(work, use, (slots) => run(slots, lease), holdMs),
        holdMs,
      );
      return done ?? { ...nothingDone(input), notHeld: true };
    } catch (error) {
      const outage = outageOf(error);
      if (outage === undefined) throw error;
      return { ...nothingDone(input), away: true, waitMs: Math.ceil(outage.askedMs) };
    }
  });

/**
 * When a session is not to be used any more. How long sessions live is not documented: one that is short from the
 * beginning is used all the same, and one that is over by this app's clock until Exchange says so.
 */
const endOf = ({ session, fresh }: Pick<Input, "session" | "fresh">, now: number): number => {
  const expires = Date.parse(session.expires);
  if (!fresh) return expires - SESSION_RESERVE_MS;
  const leftMs = expires - now;
  return leftMs <= 0 ? Number.POSITIVE_INFINITY : expires - Math.min(SESSION_RESERVE_MS, leftMs * RESERVED_SHARE);
};

const nothingDone = ({ pending, spent }: Input): Output => ({
  ...count([]),
  left: pending,
  sessionEnded: false,
  spent,
  elapsedMs: 0,
  throttled: 0,
  waitMs: 0,
});

const runWave = async (
  deps: Deps,
  input: Input,
  slotsHeld: Held,
  { lease, told }: { readonly lease: Held; readonly told: AbortSignal },
): Promise<Output> => {
  const { vault, work, ledgers, gates = mailboxGates() } = deps;
  const { restoreId, mailbox, slots, pending, session, fresh = false, totals = NOTHING_YET, budgetMs, spent } = input;
  const started = Date.now();
  const sessionEnds = endOf(input, started);
  let throttled = 0;
  const clock = serverClock();
  const stopping = new AbortController();
  const requestBudget = {
    answered: clock.note,
    untilMs: started + Math.max(budgetMs, MIN_DEADLINE_MS),
    slots: semaphore(slots),
    isHeld: lease.isHeld,
    gate: gates.of(mailbox.key),
    stopping: AbortSignal.any([stopping.signal, told]),
    throttled: () => {
      throttled += 1;
    },
  };
  const graph = deps.openGraph(requestBudget);
  const plan = await readRestorePlan(work, restoreId);
  const folders = await readFolderMap(work, restoreId);
  const bytesOf = (record: RestoreItem): number => bodyBytes({ ...record, folderId: folders[record.folderId] ?? "" });
  const budget = await openUploadBudget(work, mailbox.key, spent);
  const context = {
    graph,
    imports: deps.openImporter(deps.sealer.open(session.sealed, sessionPurpose(restoreId)), requestBudget),
    session: session.expires,
    elsewhere: new Map<string, ItemImporter>(),
    openElsewhere: memoize(async (id) => {
      const { url } = await openImportSession(graph, { id, kind: "archive" }, deps.importHosts);
      return deps.openImporter(url, requestBudget);
    }),
    vault,
    work,
    mailbox,
    folders,
    since: plan.started,
    onConflict: plan.onConflict ?? "skip",
    // Any answer tells the time.
    serverNow: async () => {
      if (clock.now() === undefined) await probeMailbox(graph, mailbox);
      return clock.now() ?? Date.now();
    },
    firstLookMs: deps.firstLookMs,
    sentAgain: (record: RestoreItem) => budget.spend(bytesOf(record)),
  };
  const source = {
    folders: context.folders,
    read: (chunk: number) => readRestoreChunk(work, restoreId, plan, chunk),
    openLedger: async (chunk: number) => whileHeld(await ledgers.open(ledgerName(restoreId, chunk)), lease),
  };
  const queue = itemQueue(source, pending);
  let did: UploadOutcome;
  try {
    const lanes: UploadWork = {
      lanes: Date.now() < sessionEnds ? slots + SPARE_LANES : 0,
      deadline: Math.min(started + budgetMs, sessionEnds),
      slotsHeld,
      told,
      queue,
      budget,
      bytesOf,
      look: (taken) => lookAgain(context, taken),
      send: (taken) => sendItem(context, taken),
      idleMs: IDLE_MS,
      onStop: () => stopping.abort(),
      session: session.expires,
      fresh,
      proven: totals.imported + totals.replaced > 0,
    };
    const progress = (): LiveProgress => progressOf(totals, queue, Date.now() - started);
    did = await whileShown(work, restoreId, progress, () => uploadLanes(lanes));
  } catch (error) {
    await queue.close().catch(() => undefined);
    throw error;
  }
  const notClosed = await closeThroughOutages(async () => {
    await queue.close();
    await keepUploadBudget(work, mailbox.key, budget);
  });
  const sessionEnded = did.sessionEnded || Date.now() >= sessionEnds;
  return {
    ...count(queue.finished),
    left: queue.left,
    sessionEnded,
    spent: budget.spent,
    elapsedMs: Date.now() - started,
    throttled,
    waitMs: Math.ceil(Math.max(did.waitMs, notClosed?.askedMs ?? 0)),
    ...(sessionEnded && { settled: did.settled }),
    ...((did.away || notClosed !== undefined) && { away: true }),
    ...(did.stopped !== undefined && { stopped: did.stopped }),
    ...(told.aborted && { told: true as const }),
  };
};

/** Closes what a wave has open; returns the outage in which that failed. The ledgers' leases then end by themselves. */
const closeThroughOutages = async (close: () => Promise<void>): Promise<Outage | undefined> => {
  try {
    await close();
    return undefined;
  } catch (error) {
    const outage = outageOf(error);
    if (outage === undefined) throw error;
    return outage;
  }
};

/** What earlier waves did, and this one so far. */
const progressOf = ({ throttled: _, ...before }: RestoreTotals, queue: ItemQueue, elapsedMs: number): LiveProgress => {
  const done = addCounts(before, count(queue.settled));
  return queue.settledHere === 0 ? done : { ...done, itemsPerSecond: (queue.settledHere * 1000) / elapsedMs };
};

const count = (finished: readonly FinishedItem[]) => {
  const counts = { imported: 0, replaced: 0, ambiguous: 0, failed: 0, bytes: 0 };
  for (const { record, entry } of finished) {
    counts[entry.op] += 1;
    if (entry.op === "imported" || entry.op === "replaced") counts.bytes += record.rawBytes;
  }
  return counts;
};
