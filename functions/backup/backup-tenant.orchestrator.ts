import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import type { RunId } from "../../shared/contracts/ids.ts";
import { backupTenantInstance, placeInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { isOfInfrastructure } from "../../shared/durable/infrastructure.ts";
import { ownRunId } from "../../shared/durable/own-ids.ts";
import { momentIn, msUntil } from "../../shared/durable/pause.ts";
import { fillPlaces } from "../jobs/parts.steps.ts";
import { notifyPeople } from "../notify/notify.steps.ts";
import {
  BackupOutcomes,
  type BackupQueue,
  BackupTenantInput,
  type BackupTenantResult,
  discoverMailboxes,
} from "./backup.contract.ts";
import { brokenRunNotice, runNotice } from "./backup.notice.ts";
import type { TenantStatus } from "./backup.progress.ts";
import { type BackupInTurnInput, findBackupPlaces, NO_OUTCOMES } from "./backup-in-turn.contract.ts";
import { MAX_LEFT_OUT } from "./discover/left-out.contract.ts";

/**
 * How long a run takes mailboxes, and waits for those that it has taken. The next night must find it ended, after the
 * last waves of up to half an hour, with an interval of a day. Our own choice.
 */
const RUN_MS = 20 * 3_600_000;

/**
 * Backs up every mailbox in scope, a window of them at the same time: queues them all, then fills each place of the
 * window with an orchestration that takes one mailbox after the other. A notice says how the run ended.
 *
 * After 20 hours, mailboxes that are not done go on as jobs of their own. Where the queue is not empty by then, another
 * run begins at once, so that those that were done wait no longer than those that were not begun. A full run takes its
 * time: begun anew, it would list everything again.
 */
export function* backupTenant(context: OrchestrationContext): Generator<Task, BackupTenantResult | undefined, unknown> {
  const { resume: run, ...order } = BackupTenantInput.parse(context.df.getInput());
  const tenantRun = run?.tenantRun ?? ownRunId(context, "tenant");
  try {
    if (run === undefined) return another(context, { ...order, resume: yield* begin(context, order, tenantRun) });
    const outcomes = yield* backUpQueue(context, order, run);
    if (outcomes === undefined) return another(context, { ...order, resume: { ...run, lost: run.lost + 1 } });

    const { queue, until } = run;
    const { mailboxes, ...leftOut } = queue;
    context.df.setCustomStatus({ phase: "done", ...queue, places: 0 } satisfies TenantStatus);
    const result: BackupTenantResult = { ...outcomes, ...leftOut };
    if (result.stopped !== undefined) return result;
    yield* notifyPeople(context, runNotice(tenantRun, result));
    const isCut = until !== undefined && msUntil(context, until) <= 0 && endedOf(result) < mailboxes;
    return isCut ? another(context, order) : result;
  } catch (error) {
    // Where the infrastructure has lost it, it is gone on with, and tells of its end.
    if (!isOfInfrastructure(String(error))) yield* notifyPeople(context, brokenRunNotice(tenantRun));
    throw error;
  }
}

type Order = Omit<BackupTenantInput, "resume">;
type Run = NonNullable<BackupTenantInput["resume"]>;

/** Goes on as another generation. */
const another = (context: OrchestrationContext, input: BackupTenantInput): undefined => {
  context.df.continueAsNew(input);
};

function* begin(context: OrchestrationContext, { full, only }: Order, tenantRun: RunId): Generator<Task, Run, unknown> {
  const until = full ? undefined : momentIn(context, RUN_MS);
  const queue = yield* queueMailboxes(context, tenantRun, only);
  return { tenantRun, queue, lost: 0, ...(until !== undefined && { until }) };
}

/** The mailboxes that a run came to before its time was over. */
const endedOf = ({ complete, partial, failed, goesOn }: BackupOutcomes): number => complete + partial + failed + goesOn;

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

/** Returns `undefined` when a place was lost, and another generation is to fill them all again. */
function* backUpQueue(
  context: OrchestrationContext,
  { trigger, full, window }: Order,
  { tenantRun, queue, until, lost }: Run,
): Generator<Task, BackupOutcomes | undefined, unknown> {
  const places = Math.min(window, queue.mailboxes);
  context.df.setCustomStatus({ phase: "backing-up", ...queue, places } satisfies TenantStatus);
  const { turns } = yield* call(context, findBackupPlaces, { tenantRun, places });
  const parts = turns.map((turn, place) => ({
    instanceId: placeInstance(place, backupTenantInstance()),
    input: { tenantRun, trigger, full, place, ...turn, until } satisfies BackupInTurnInput,
  }));
  const outcomes = yield* fillPlaces(context, { name: "backup-in-turn", output: BackupOutcomes }, parts, lost);
  return outcomes?.reduce(add, NO_OUTCOMES);
}

const add = (a: BackupOutcomes, b: BackupOutcomes): BackupOutcomes => ({
  ...addCounts(a, b),
  failures: [...a.failures, ...b.failures].slice(0, MAX_FAILURES),
  ...(b.stopped !== undefined && { stopped: b.stopped }),
});
