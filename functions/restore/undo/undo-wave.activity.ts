import { setTimeout as delay } from "node:timers/promises";
import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implement } from "../../../shared/durable/activity.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { mailboxGates } from "../../../shared/graph/mailbox-gate.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import { sendBudget } from "../../../shared/graph/send-budget.ts";
import { WorkStoppedError } from "../../../shared/graph/stopped-work.ts";
import { memoize } from "../../../shared/memoize.ts";
import { outageOf } from "../../../shared/outage.ts";
import { chunkNumbers, rangesOf } from "../chunk-ranges.contract.ts";
import { whileHeld } from "../upload/ledger.ts";
import { readBrought } from "./imported-items.ts";
import { type Holds, type UndoDeps, underHolds } from "./under-holds.ts";
import { undoWave } from "./undo.contract.ts";
import { undoChunk } from "./undo-chunk.ts";
import type { UndoLedgers } from "./undo-ledger.ts";
import { undoLedgerName } from "./undo-state.ts";

/** A wave with a short budget still waits out a passing refusal. */
const MIN_DEADLINE_MS = 30_000;

type Input = z.output<typeof undoWave.input>;
type Output = z.output<typeof undoWave.output>;

interface Deps extends UndoDeps {
  readonly undoLedgers: UndoLedgers;
  /** Whether the app was given the right to delete items. */
  readonly mayDeleteItems: boolean;
}

/**
 * One wave: lanes look at what the restore imported, chunk by chunk, and delete what nobody changed, until all is
 * examined, time is up, or Graph or storage is away. A dry run, and an app that may not delete items, only look.
 *
 * Run twice, even at the same time: each chunk's ledger has one writer at a time, and says what was examined and what
 * was about to be deleted. A delivery whose slots or mailbox are another's does nothing.
 */
export const undoWaveActivity = (deps: Deps): ActivityHandler =>
  implement(undoWave, async (input): Promise<Output> => {
    const idle = { ...NOTHING, left: input.pending, spent: input.spent };
    try {
      return (await underHolds(deps, input, (held) => runWave(deps, input, held))) ?? { ...idle, notHeld: true };
    } catch (error) {
      const outage = outageOf(error);
      if (outage === undefined) throw error;
      return { ...idle, away: true, waitMs: Math.ceil(outage.askedMs) };
    }
  });

const NOTHING = { examined: 0, deleted: 0, isProgress: false, elapsedMs: 0, throttled: 0, waitMs: 0 };

const runWave = async (deps: Deps, input: Input, held: Holds): Promise<Output> => {
  const { work, ledgers, undoLedgers, mayDeleteItems, gates = mailboxGates() } = deps;
  const { undoId, restoreId, mailbox, dryRun, slots, pending, budgetMs, spent } = input;
  const started = Date.now();
  const deadline = started + budgetMs;
  const counts = { ...NOTHING };
  const graph = deps.openGraph({
    untilMs: started + Math.max(budgetMs, MIN_DEADLINE_MS),
    slots: semaphore(slots),
    isHeld: held.isHeld,
    gate: gates.of(mailbox.key),
    stopping: held.told,
    throttled: () => {
      counts.throttled += 1;
    },
  });
  const brought = await readBrought({ work, ledgers }, restoreId);
  const budget = sendBudget(spent);
  const mailboxAnswers = memoize(() => expectAnswer(graph, mailbox));
  let waitMs = 0;

  const isOver = (): boolean =>
    waitMs > 0 || held.told.aborted || !held.isHeld() || (counts.isProgress && Date.now() >= deadline);
  const maySend = async (): Promise<boolean> => {
    for (let wait = budget.waitMs(0); wait > 0; wait = budget.waitMs(0)) {
      if (Date.now() + wait >= deadline) {
        waitMs = Math.max(waitMs, wait);
        return false;
      }
      await delay(wait);
    }
    budget.spend(0);
    return true;
  };

  const left = chunkNumbers(pending);
  let away = false;
  try {
    for (let [chunk] = left; chunk !== undefined && !isOver(); [chunk] = left) {
      const items = await brought.inChunk(chunk);
      const { isDone, ends } = await undoChunk({
        graph,
        mailbox,
        deletes: mayDeleteItems && !dryRun,
        items,
        ledger: whileHeld(await undoLedgers.open(undoLedgerName(undoId, chunk)), held),
        lanes: slots,
        mailboxAnswers: () => mailboxAnswers(""),
        maySend,
        isOver,
        settled: () => {
          counts.isProgress = true;
        },
      });
      if (!isDone) break;
      left.shift();
      counts.isProgress = true;
      counts.examined += items.length;
      counts.deleted += [...ends.values()].filter(({ op }) => op === "deleted").length;
    }
  } catch (error) {
    const outage = outageOf(error);
    if (outage !== undefined) {
      away = true;
      waitMs = Math.max(waitMs, outage.askedMs);
    } else if (!(error instanceof WorkStoppedError)) throw error;
  }
  return {
    ...counts,
    left: rangesOf(left),
    spent: budget.spent,
    elapsedMs: Date.now() - started,
    waitMs: Math.ceil(waitMs),
    ...(away && { away: true }),
    ...(held.told.aborted && { told: true }),
  };
};

/** @throws {Error} when the mailbox is not there: no item of it is gone then. */
const expectAnswer = async (...where: Parameters<typeof probeMailbox>): Promise<void> => {
  try {
    await probeMailbox(...where);
  } catch (error) {
    if (!(error instanceof GraphError) || outageOf(error) !== undefined) throw error;
    throw new Error(`The mailbox does not answer: ${error.message}`, { cause: error });
  }
};
