import type { Away } from "../../../shared/durable/outages.ts";
import type { GraphClient, OpenGraph } from "../../../shared/graph/graph-client.ts";
import { type MailboxGates, mailboxGates } from "../../../shared/graph/mailbox-gate.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import { type ServerClock, serverClock } from "../../../shared/graph/server-clock.ts";
import { OutOfTimeError, SlotsLostError, WorkStoppedError } from "../../../shared/graph/stopped-work.ts";
import { outageOf } from "../../../shared/outage.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { whileWatched } from "../../jobs/watch-wish.ts";
import type { Wish } from "../../jobs/wish.contract.ts";
import type { SlotHold } from "../../slots/slots.contract.ts";
import { underHold } from "../../slots/under-hold.ts";
import { tenureOf } from "../target/target-lease.ts";
import { type LeasedWork, underLease } from "../target/under-lease.ts";
import type { Unfinished } from "./paged.contract.ts";

/**
 * Beyond its budget, a step waits for what is under way: a page, and Graph's patience with it. So it ends within twice
 * that, and a few seconds for its last run. Our own choice.
 */
const GRACE_MS = 60_000;

/** Entries sorted at a time, in memory. Our own choice: a step that is killed loses about as many. */
const RUN_ENTRIES = 10_000;

/** What a step needs, whatever it does. */
export interface StepDeps {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  readonly state: Blobs;
  /** How long the mailbox and slots are held without being renewed. */
  readonly holdMs?: number | undefined;
  /** How long a step works. */
  readonly laneBudgetMs: number;
  /** Entries sorted at a time, in memory. */
  readonly runEntries?: number;
  /** Closed for all lanes of the process while Exchange asks for a wait. */
  readonly gates?: MailboxGates;
}

/** A step, and what it may use. */
export interface Step {
  readonly graph: GraphClient;
  readonly clock: ServerClock;
  readonly slots: number;
  /** Whether the step is to end. */
  readonly isOver: () => boolean;
  readonly runEntries: number;
  readonly tenure: number | undefined;
  /** For what has no checkpoint: its requests are not broken off when the step is to end. */
  readonly patient: GraphClient;
}

interface StepInput extends LeasedWork {
  readonly slots: number;
  readonly hold?: SlotHold | undefined;
  readonly jobs?: readonly string[] | undefined;
}

const UNFINISHED: Unfinished = { unfinished: true };
const NOT_HELD: Unfinished = { ...UNFINISHED, notHeld: true };

/**
 * Does one step of a restore's work on its target: under its lease of the mailbox and its hold on slots, until time is
 * up, an outage, or one of the wishes that it `heeds`. `step` returns `undefined` when the work is not done.
 *
 * @throws {WorkStoppedError} when it was told to stop.
 */
export const oneStep = async <T>(
  deps: StepDeps,
  input: StepInput,
  heeds: readonly Wish[],
  step: (step: Step) => Promise<T | undefined>,
): Promise<T | Unfinished | Away> => {
  const { work, state, holdMs, laneBudgetMs, runEntries = RUN_ENTRIES, gates = mailboxGates() } = deps;
  const { mailbox, slots, hold, restoreId, exclusive, jobs = [] } = input;
  const run = async (isHeld: () => boolean, told: AbortSignal): Promise<T | Unfinished> => {
    const deadline = Date.now() + laneBudgetMs;
    const clock = serverClock();
    const budget = {
      untilMs: deadline + GRACE_MS,
      slots: semaphore(slots),
      isHeld,
      gate: gates.of(mailbox.key),
      stopping: told,
      answered: clock.note,
    };
    const graph = deps.openGraph({ ...budget, endsMs: deadline + 2 * GRACE_MS });
    const tenure = exclusive ? await tenureOf(work, mailbox.key, restoreId) : undefined;
    const isOver = (): boolean => told.aborted || !isHeld() || Date.now() >= deadline;
    const done = await step({ graph, patient: deps.openGraph(budget), clock, slots, isOver, runEntries, tenure });
    if (done !== undefined) return done;
    if (told.aborted) throw new WorkStoppedError("The step was told to stop");
    return isHeld() ? UNFINISHED : NOT_HELD;
  };
  try {
    const done = await underLease(
      work,
      input,
      (lease) =>
        underHold(
          work,
          { mailboxKey: mailbox.key, hold },
          (held) => whileWatched(state, jobs, (told) => run(() => held.isHeld() && lease.isHeld(), told), { heeds }),
          holdMs,
        ),
      holdMs,
    );
    return done ?? NOT_HELD;
  } catch (error) {
    if (error instanceof SlotsLostError) return NOT_HELD;
    const outage = error instanceof OutOfTimeError ? { askedMs: 0 } : outageOf(error);
    if (outage === undefined) throw error;
    return { awayMs: Math.ceil(outage.askedMs) };
  }
};
