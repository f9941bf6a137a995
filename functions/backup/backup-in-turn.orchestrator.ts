import type { OrchestrationContext, Task } from "durable-functions";
import * as z from "zod";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES, type PartFailure } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { tryPart } from "../../shared/durable/parts.ts";
import { msUntil, pause } from "../../shared/durable/pause.ts";
import {
  BackupInTurnInput,
  type BackupMailboxInput,
  BackupMailboxResult,
  type BackupOutcomes,
  takeMailbox,
  UnfinishedBackup,
} from "./backup.contract.ts";
import type { PlaceStatus } from "./backup.progress.ts";
import { goOnAlone } from "./go-on-alone.contract.ts";

/** Mailboxes in one generation: it bounds the generation's history. */
const TURNS_PER_GENERATION = 20;

/** Between a backup that ends unfinished and the start of its own job: its id has to be free. Our own choice. */
const HAND_OVER_MS = 30_000;

/**
 * Backs up mailboxes from the queue, one after the other, until it is empty or the time is over. A mailbox that fails
 * is only counted. One that is not done by then goes on as a job of its own.
 */
export function* backupInTurn(context: OrchestrationContext): Generator<Task, BackupOutcomes | undefined, unknown> {
  const input = BackupInTurnInput.parse(context.df.getInput());
  const { tenantRun, trigger, full, place, until } = input;
  const limit = until === undefined ? {} : { until };
  let { turn, outcomes } = input;

  for (let turns = 0; turns < TURNS_PER_GENERATION; turns += 1, turn += 1) {
    if (until !== undefined && msUntil(context, until) <= 0) return outcomes;
    const { mailbox } = yield* call(context, takeMailbox, { tenantRun, place, turn });
    if (mailbox === undefined) return outcomes;
    context.df.setCustomStatus(statusOf(outcomes, backupInstance(mailbox.key)));
    const result = yield* backUp(context, { mailbox, trigger, full, ...limit });
    if ("goesOn" in result) {
      yield* pause(context, HAND_OVER_MS);
      yield* call(context, goOnAlone, { input: result.goesOn });
    }
    outcomes = count(outcomes, result);
  }

  context.df.continueAsNew({ tenantRun, trigger, full, place, turn, outcomes, ...limit } satisfies BackupInTurnInput);
  return undefined;
}

/** Without the failures: their reasons could exceed the 16 KB of a status, which fails the orchestration. */
const statusOf = ({ failures: _, ...counts }: BackupOutcomes, running: string): PlaceStatus => ({ ...counts, running });

const count = (outcomes: BackupOutcomes, result: Ended): BackupOutcomes => {
  if ("reason" in result) {
    const failures = [...outcomes.failures, result].slice(0, MAX_FAILURES);
    return { ...outcomes, failed: outcomes.failed + 1, failures };
  }
  const outcome = "goesOn" in result ? "goesOn" : result.state;
  return {
    ...outcomes,
    [outcome]: outcomes[outcome] + 1,
    items: outcomes.items + result.totals.exported,
    bytes: outcomes.bytes + result.totals.bytes,
  };
};

/** How a mailbox's backup ended for the place that waited for it. */
type Ended = BackupMailboxResult | UnfinishedBackup | PartFailure;

/** Backs up one mailbox. A failure is returned, not thrown. */
const backUp = (context: OrchestrationContext, input: BackupMailboxInput): Generator<Task, Ended, unknown> =>
  tryPart(
    context,
    { name: "backup-mailbox", output: z.union([BackupMailboxResult, UnfinishedBackup]) },
    { instanceId: backupInstance(input.mailbox.key), input },
  );
