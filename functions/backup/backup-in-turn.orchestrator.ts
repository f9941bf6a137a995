import type { OrchestrationContext, Task } from "durable-functions";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES, type PartFailure } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { tryPart } from "../../shared/durable/parts.ts";
import {
  BackupInTurnInput,
  type BackupMailboxInput,
  BackupMailboxResult,
  type BackupOutcomes,
  takeMailbox,
} from "./backup.contract.ts";
import type { PlaceStatus } from "./backup.progress.ts";

/** Mailboxes in one generation: it bounds the generation's history. */
const TURNS_PER_GENERATION = 20;

/** Backs up mailboxes from the queue, one after the other, until it is empty. A mailbox that fails is only counted. */
export function* backupInTurn(context: OrchestrationContext): Generator<Task, BackupOutcomes | undefined, unknown> {
  const input = BackupInTurnInput.parse(context.df.getInput());
  const { tenantRun, trigger, full, place } = input;
  let { turn, outcomes } = input;

  for (let turns = 0; turns < TURNS_PER_GENERATION; turns += 1, turn += 1) {
    const { mailbox } = yield* call(context, takeMailbox, { tenantRun, place, turn });
    if (mailbox === undefined) return outcomes;
    context.df.setCustomStatus({ ...outcomes, running: backupInstance(mailbox.key) } satisfies PlaceStatus);
    outcomes = count(outcomes, yield* backUp(context, { mailbox, trigger, full }));
  }

  context.df.continueAsNew({ tenantRun, trigger, full, place, turn, outcomes } satisfies BackupInTurnInput);
  return undefined;
}

const count = (outcomes: BackupOutcomes, result: BackupMailboxResult | PartFailure): BackupOutcomes =>
  "reason" in result
    ? {
        ...outcomes,
        failed: outcomes.failed + 1,
        failures: [...outcomes.failures, result].slice(0, MAX_FAILURES),
      }
    : {
        ...outcomes,
        [result.state]: outcomes[result.state] + 1,
        items: outcomes.items + result.totals.exported,
        bytes: outcomes.bytes + result.totals.bytes,
      };

/** Backs up one mailbox. A failure is returned, not thrown. */
const backUp = (
  context: OrchestrationContext,
  input: BackupMailboxInput,
): Generator<Task, BackupMailboxResult | PartFailure, unknown> =>
  tryPart(
    context,
    { name: "backup-mailbox", output: BackupMailboxResult },
    { instanceId: backupInstance(input.mailbox.key), input },
  );
