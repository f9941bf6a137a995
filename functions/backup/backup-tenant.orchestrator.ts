import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import type { RunId } from "../../shared/contracts/ids.ts";
import { backupTenantInstance, placeInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownRunId } from "../../shared/durable/own-ids.ts";
import { fillPlaces } from "../../shared/durable/parts.ts";
import { notifyPeople } from "../notify/notify.steps.ts";
import {
  type BackupInTurnInput,
  BackupOutcomes,
  type BackupQueue,
  BackupTenantInput,
  type BackupTenantResult,
  discoverMailboxes,
  MAX_LEFT_OUT,
} from "./backup.contract.ts";
import { brokenRunNotice, runNotice } from "./backup.notice.ts";
import type { TenantStatus } from "./backup.progress.ts";

/**
 * Backs up every mailbox in scope, a window of them at the same time: queues them all, then fills each place of the
 * window with an orchestration that takes one mailbox after the other. A notice says how the run ended.
 */
export function* backupTenant(context: OrchestrationContext): Generator<Task, BackupTenantResult, unknown> {
  const input = BackupTenantInput.parse(context.df.getInput());
  const tenantRun = ownRunId(context, "tenant");
  try {
    const result = yield* backUpAll(context, tenantRun, input);
    yield* notifyPeople(context, runNotice(tenantRun, result));
    return result;
  } catch (error) {
    yield* notifyPeople(context, brokenRunNotice(tenantRun));
    throw error;
  }
}

function* backUpAll(
  context: OrchestrationContext,
  tenantRun: RunId,
  { trigger, full, only, window }: BackupTenantInput,
): Generator<Task, BackupTenantResult, unknown> {
  const queue = yield* queueMailboxes(context, tenantRun, only);
  const places = Math.min(window, queue.mailboxes);
  context.df.setCustomStatus({ phase: "backing-up", ...queue, places } satisfies TenantStatus);

  const outcomes = yield* backUpQueue(context, places, { tenantRun, trigger, full });
  context.df.setCustomStatus({ phase: "done", ...queue, places: 0 } satisfies TenantStatus);
  const { mailboxes: _, ...leftOut } = queue;
  return { ...outcomes, ...leftOut };
}

const EMPTY: BackupQueue = {
  mailboxes: 0,
  unknown: 0,
  unanswered: 0,
  notPermitted: 0,
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
  let queue = EMPTY;
  const asked = new Set<string>();
  let next: string | undefined;
  let number = 0;
  do {
    context.df.setCustomStatus({ phase: "discovering", ...queue } satisfies TenantStatus);
    const page = yield* call(context, discoverMailboxes, {
      tenantRun,
      page: number,
      start: queue.mailboxes,
      ...(only === undefined ? {} : { only: [...only] }),
      ...(next === undefined ? {} : { next }),
    });
    queue = addPage(queue, page);
    next = page.next;
    if (next !== undefined && asked.has(next))
      throw new Error("The pages of the directory lead back to an earlier one");
    if (next !== undefined) asked.add(next);
    number += 1;
  } while (next !== undefined);
  return queue;
}

const addPage = (queue: BackupQueue, page: BackupQueue): BackupQueue => ({
  ...addCounts(queue, page),
  leftOut: [...queue.leftOut, ...page.leftOut].slice(0, MAX_LEFT_OUT),
});

const NONE: BackupOutcomes = { complete: 0, partial: 0, failed: 0, failures: [], items: 0, bytes: 0 };

function* backUpQueue(
  context: OrchestrationContext,
  places: number,
  run: Pick<BackupInTurnInput, "tenantRun" | "trigger" | "full">,
): Generator<Task, BackupOutcomes, unknown> {
  const parts = Array.from({ length: places }, (_, place) => ({
    instanceId: placeInstance(place, backupTenantInstance()),
    input: { ...run, place, turn: 0, outcomes: NONE } satisfies BackupInTurnInput,
  }));
  const outcomes = yield* fillPlaces(context, { name: "backup-in-turn", output: BackupOutcomes }, parts);
  return outcomes.reduce(add, NONE);
}

const add = (a: BackupOutcomes, b: BackupOutcomes): BackupOutcomes => ({
  ...addCounts(a, b),
  failures: [...a.failures, ...b.failures].slice(0, MAX_FAILURES),
});
