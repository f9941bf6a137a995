import type { OrchestrationContext, Task } from "durable-functions";
import {
  type BackupInTurnInput,
  BackupOutcomes,
  type BackupQueue,
  BackupTenantInput,
  type BackupTenantResult,
  discoverMailboxes,
  MOST_FAILURES,
  MOST_LEFT_OUT,
} from "../../shared/contracts/backup.ts";
import { call } from "../../shared/durable/activity.ts";
import { placeInstance, runId } from "../../shared/ids.ts";

/**
 * Backs up every mailbox in scope, a window of them at the same time: queues them all, then fills each place of the
 * window with an orchestration that takes one after the other. No mailbox waits for another but for a free place.
 *
 * Why places: the library starts a task again each time it is handed to another `Task.any`, so one orchestration cannot
 * itself keep a sliding window (durable-functions 3.5; Azure/azure-functions-durable-js#574).
 */
export function* backupTenant(context: OrchestrationContext): Generator<Task, BackupTenantResult, unknown> {
  const { trigger, full, only, window } = BackupTenantInput.parse(context.df.getInput());
  const tenantRun = runId(context.df.currentUtcDateTime, context.df.newGuid("tenant"));

  const queue = yield* queueMailboxes(context, tenantRun, only);
  const places = Math.min(window, queue.mailboxes);
  context.df.setCustomStatus({ phase: "backing-up", ...queue, places });

  const outcomes = yield* fillPlaces(context, places, { tenantRun, trigger, full });
  context.df.setCustomStatus({ phase: "done", ...queue, places: 0 });
  const { mailboxes: _, ...leftOut } = queue;
  return { ...outcomes, ...leftOut };
}

const NOBODY: BackupQueue = {
  mailboxes: 0,
  unknown: 0,
  withoutMailbox: 0,
  excluded: 0,
  disabled: 0,
  unlicensed: 0,
  leftOut: [],
  busy: 0,
};

function* queueMailboxes(
  context: OrchestrationContext,
  tenantRun: string,
  only: readonly string[] | undefined,
): Generator<Task, BackupQueue, unknown> {
  let queue = NOBODY;
  let next: string | undefined;
  let number = 0;
  do {
    context.df.setCustomStatus({ phase: "discovering", ...queue });
    const page = yield* call(context, discoverMailboxes, {
      tenantRun,
      page: number,
      start: queue.mailboxes,
      ...(only === undefined ? {} : { only: [...only] }),
      ...(next === undefined ? {} : { next }),
    });
    queue = addPage(queue, page);
    next = page.next;
    number += 1;
  } while (next !== undefined);
  return queue;
}

const addPage = (queue: BackupQueue, page: BackupQueue): BackupQueue => ({
  mailboxes: queue.mailboxes + page.mailboxes,
  unknown: queue.unknown + page.unknown,
  withoutMailbox: queue.withoutMailbox + page.withoutMailbox,
  excluded: queue.excluded + page.excluded,
  disabled: queue.disabled + page.disabled,
  unlicensed: queue.unlicensed + page.unlicensed,
  leftOut: [...queue.leftOut, ...page.leftOut].slice(0, MOST_LEFT_OUT),
  busy: queue.busy + page.busy,
});

const NONE: BackupOutcomes = { complete: 0, partial: 0, failed: 0, failures: [], items: 0, bytes: 0 };

function* fillPlaces(
  context: OrchestrationContext,
  places: number,
  run: Pick<BackupInTurnInput, "tenantRun" | "trigger" | "full">,
): Generator<Task, BackupOutcomes, unknown> {
  if (places === 0) return NONE;
  const tasks = Array.from({ length: places }, (_, place) =>
    context.df.callSubOrchestrator(
      "backup-in-turn",
      { ...run, place, turn: 0, outcomes: NONE } satisfies BackupInTurnInput,
      placeInstance(place),
    ),
  );
  const results = (yield context.df.Task.all(tasks)) as unknown[];
  return results.map((result) => BackupOutcomes.parse(result)).reduce(add, NONE);
}

const add = (a: BackupOutcomes, b: BackupOutcomes): BackupOutcomes => ({
  complete: a.complete + b.complete,
  partial: a.partial + b.partial,
  failed: a.failed + b.failed,
  failures: [...a.failures, ...b.failures].slice(0, MOST_FAILURES),
  items: a.items + b.items,
  bytes: a.bytes + b.bytes,
});
