import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implement } from "../../../shared/durable/activity.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { bodyBytes, type ItemImporter, type OpenImporter } from "../../../shared/graph/import-item.ts";
import { openImportSession } from "../../../shared/graph/import-session.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import { sendBudget } from "../../../shared/graph/send-budget.ts";
import { serverClock } from "../../../shared/graph/server-clock.ts";
import { memoize } from "../../../shared/memoize.ts";
import type { Sealer } from "../../../shared/security/seal.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { underHold } from "../../slots/under-hold.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { uploadWave } from "../restore.contract.ts";
import { ledgerName, readFolderMap, readRestoreChunk, readRestorePlan } from "../restore-state.ts";
import { underLease } from "../target/under-lease.ts";
import { sessionPurpose } from "./create-import-session.activity.ts";
import { type FinishedItem, itemQueue } from "./item-queue.ts";
import { type Ledgers, whileHeld } from "./ledger.ts";
import { lookAgain, sendItem } from "./settle-item.ts";
import { uploadLanes } from "./upload-lanes.ts";

/** A session with less time left is not used. Source: what a mailbox copy product does in production. */
const SESSION_RESERVE_MS = 5 * 60_000;

/** A wave with a short budget still waits out a passing refusal. */
const MIN_DEADLINE_MS = 30_000;

/**
 * Lanes beyond the slots: they read the vault and write ledgers while the slots wait for Exchange. One for each slot,
 * so that the next item is ready when a request ends.
 */
const SPARE_LANES = 4;

type Input = z.output<typeof uploadWave.input>;
type Output = z.output<typeof uploadWave.output>;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly openImporter: OpenImporter;
  readonly importHosts: readonly string[];
  readonly sealer: Sealer;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly ledgers: Ledgers;
  /** How long to wait before an import without an answer is looked for again. */
  readonly firstLookMs: number;
}

/** Longer waits are durable, and hold no slots. */
const IDLE_MS = 1_000;

/**
 * One wave: lanes import items until all are settled, time is up, the session ends, or Exchange asks for a wait beyond
 * the deadline.
 *
 * Run twice, even at the same time: each chunk's ledger has one writer at a time and says what was imported. An import
 * whose outcome it does not know is looked for in the mailbox before the next try. A delivery whose hold on the slots
 * is gone, or whose mailbox is another restore's, does nothing.
 */
export const uploadWaveActivity = (deps: Deps): ActivityHandler =>
  implement(uploadWave, async (input) => {
    const use = { mailboxKey: input.mailbox.key, hold: input.hold };
    const done = await underLease(deps.work, input, (lease) =>
      underHold(deps.work, use, (slots) =>
        runWave(deps, input, { isHeld: () => slots.isHeld() && lease.isHeld() }, lease),
      ),
    );
    return done ?? notBegun(input);
  });

const notBegun = ({ pending, spent }: Input): Output => ({
  ...count([]),
  left: pending,
  sessionEnded: false,
  spent,
  elapsedMs: 0,
  throttled: 0,
  waitMs: 0,
  notHeld: true,
});

const runWave = async (
  deps: Deps,
  { restoreId, mailbox, slots, pending, session, budgetMs, spent }: Input,
  slotsHeld: Held,
  lease: Held,
): Promise<Output> => {
  const { vault, work, ledgers } = deps;
  const started = Date.now();
  const sessionEnds = Date.parse(session.expires) - SESSION_RESERVE_MS;
  let throttled = 0;
  const clock = serverClock();
  const requestBudget = {
    answered: clock.note,
    untilMs: started + Math.max(budgetMs, MIN_DEADLINE_MS),
    slots: semaphore(slots),
    isHeld: lease.isHeld,
    throttled: () => {
      throttled += 1;
    },
  };
  const graph = deps.openGraph(requestBudget);
  const plan = await readRestorePlan(work, restoreId);
  const context = {
    graph,
    imports: deps.openImporter(deps.sealer.open(session.sealed, sessionPurpose(restoreId)), requestBudget),
    elsewhere: new Map<string, ItemImporter>(),
    openElsewhere: memoize(async (id) => {
      const { url } = await openImportSession(graph, { id, kind: "archive" }, deps.importHosts);
      return deps.openImporter(url, requestBudget);
    }),
    vault,
    work,
    mailbox,
    folders: await readFolderMap(work, restoreId),
    since: plan.started,
    onConflict: plan.onConflict ?? "skip",
    // Any answer tells the time.
    serverNow: async () => {
      if (clock.now() === undefined) await probeMailbox(graph, mailbox);
      return clock.now() ?? Date.now();
    },
    firstLookMs: deps.firstLookMs,
  };
  const source = {
    folders: context.folders,
    read: (chunk: number) => readRestoreChunk(work, restoreId, plan, chunk),
    openLedger: async (chunk: number) => whileHeld(await ledgers.open(ledgerName(restoreId, chunk)), lease),
  };
  const queue = itemQueue(source, pending);
  const budget = sendBudget(spent);
  try {
    const { sessionEnded, waitMs } = await uploadLanes({
      lanes: Date.now() < sessionEnds ? slots + SPARE_LANES : 0,
      deadline: Math.min(started + budgetMs, sessionEnds),
      slotsHeld,
      queue,
      budget,
      bytesOf: (record) => bodyBytes({ ...record, folderId: context.folders[record.folderId] ?? "" }),
      look: (taken) => lookAgain(context, taken),
      send: (taken) => sendItem(context, taken),
      idleMs: IDLE_MS,
    });
    return {
      ...count(queue.finished),
      left: queue.left,
      sessionEnded: sessionEnded || Date.now() >= sessionEnds,
      spent: budget.spent,
      elapsedMs: Date.now() - started,
      throttled,
      waitMs,
    };
  } finally {
    await queue.close();
  }
};

const count = (finished: readonly FinishedItem[]) => {
  const counts = { imported: 0, replaced: 0, ambiguous: 0, failed: 0, bytes: 0 };
  for (const { record, entry } of finished) {
    counts[entry.op] += 1;
    if (entry.op === "imported" || entry.op === "replaced") counts.bytes += record.rawBytes;
  }
  return counts;
};
