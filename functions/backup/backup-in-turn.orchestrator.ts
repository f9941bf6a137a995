import type { OrchestrationContext, Task } from "durable-functions";
import * as z from "zod";
import { backupInstance, backupTenantInstance } from "../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { MAX_FAILURES, type PartFailure } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { momentIn, msUntil, pause } from "../../shared/durable/pause.ts";
import { CANCELLED } from "../jobs/generation.contract.ts";
import { inGenerations, type Standing } from "../jobs/in-generations.steps.ts";
import { tryPart } from "../jobs/parts.steps.ts";
import { readWish } from "../jobs/wish.contract.ts";
import {
  type BackupMailboxInput,
  BackupMailboxResult,
  type BackupOutcomes,
  CancelledBackup,
  UnfinishedBackup,
} from "./backup.contract.ts";
import type { PlaceStatus } from "./backup.progress.ts";
import { BackupInTurnInput, type BackupTurn, takeMailbox } from "./backup-in-turn.contract.ts";
import { goOnAlone } from "./go-on-alone.contract.ts";

/** Between two looks at a backup that this turn had begun before its place was lost. Our own choice. */
const OWN_MS = 60_000;

/** Between a backup that ends unfinished and the start of its own job: its id has to be free. Our own choice. */
const HAND_OVER_MS = 30_000;

/**
 * Backs up mailboxes from the queue, one after the other, until it is empty, the time is over, or the run is cancelled.
 * A mailbox that fails is only counted. One that is not done by then goes on as a job of its own.
 */
export function* backupInTurn(context: OrchestrationContext): Generator<Task, BackupOutcomes | undefined, unknown> {
  const { turn, outcomes, wait, notBefore, ...place } = BackupInTurnInput.parse(context.df.getInput());
  const { tenantRun, trigger, full, until } = place;
  const run = backupTenantInstance();
  const limit = until === undefined ? {} : { until };
  return yield* inGenerations<BackupTurn, BackupOutcomes, BackupOutcomes>(context, {
    jobs: [run],
    generation: { wait, notBefore },
    state: { turn, outcomes },
    *step({ turn, outcomes }) {
      if (until !== undefined && msUntil(context, until) <= 0) return { result: outcomes };
      const taken = yield* call(context, takeMailbox, { tenantRun, place: place.place, turn, outcomes });
      if (taken.own) return { state: { turn, outcomes }, sleep: { until: momentIn(context, OWN_MS) } };
      if (taken.busy) return { state: { turn: turn + 1, outcomes: count(outcomes, "goesOn") } };
      const { mailbox } = taken;
      if (mailbox === undefined) return { result: outcomes };
      context.df.setCustomStatus(statusOf(outcomes, { running: backupInstance(mailbox.key) }));
      const ended = yield* backUp(context, { mailbox, trigger, full, partOf: run, ...limit });
      if ("goesOn" in ended) {
        yield* pause(context, HAND_OVER_MS);
        if (yield* isCancelled(context, [run, backupInstance(mailbox.key)]))
          return { state: { turn: turn + 1, outcomes: countEnded(outcomes, mailbox, { ...ended, ...CANCELLED }) } };
        yield* call(context, goOnAlone, { input: ended.goesOn });
      }
      return { state: { turn: turn + 1, outcomes: countEnded(outcomes, mailbox, ended) } };
    },
    show: ({ outcomes }, standing) => context.df.setCustomStatus(statusOf(outcomes, standing)),
    inputOf: (state): BackupInTurnInput => ({ ...place, ...state }),
    cancelled: ({ outcomes }) => ({ ...outcomes, ...CANCELLED }),
  });
}

/** A job of its own would not know what this one was told. */
function* isCancelled(context: OrchestrationContext, jobs: string[]): Generator<Task, boolean, unknown> {
  const told = yield* call(context, readWish, { jobs });
  return "wish" in told && told.wish === "cancel";
}

/** Without the failures: their reasons could exceed the 16 KB of a status, which fails the orchestration. */
const statusOf = (
  { failures: _, ...counts }: BackupOutcomes,
  more: Standing & Pick<PlaceStatus, "running">,
): PlaceStatus => ({ ...counts, ...more });

const count = (outcomes: BackupOutcomes, outcome: "complete" | "partial" | "goesOn"): BackupOutcomes => ({
  ...outcomes,
  [outcome]: outcomes[outcome] + 1,
});

const countEnded = (outcomes: BackupOutcomes, { key }: MailboxRef, ended: Ended): BackupOutcomes => {
  if ("reason" in ended) return countFailed(outcomes, ended);
  const { exported, bytes } = ended.totals;
  const sums = { ...outcomes, items: outcomes.items + exported, bytes: outcomes.bytes + bytes };
  if ("stopped" in ended) return countFailed(sums, { job: backupInstance(key), reason: "It was cancelled" });
  return count(sums, "goesOn" in ended ? "goesOn" : ended.state);
};

const countFailed = (outcomes: BackupOutcomes, failure: PartFailure): BackupOutcomes => ({
  ...outcomes,
  failed: outcomes.failed + 1,
  failures: [...outcomes.failures, failure].slice(0, MAX_FAILURES),
});

/** How a mailbox's backup ended for the place that waited for it. */
type Ended = BackupMailboxResult | UnfinishedBackup | CancelledBackup | PartFailure;

/** Backs up one mailbox. A failure is returned, not thrown. */
const backUp = (context: OrchestrationContext, input: BackupMailboxInput): Generator<Task, Ended, unknown> =>
  tryPart(
    context,
    { name: "backup-mailbox", output: z.union([BackupMailboxResult, UnfinishedBackup, CancelledBackup]) },
    { instanceId: backupInstance(input.mailbox.key), input },
  );
