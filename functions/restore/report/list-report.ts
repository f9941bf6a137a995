import type { DurableClient } from "durable-functions";
import * as z from "zod";
import { mapBounded } from "../../../shared/bounded.ts";
import { addCounts } from "../../../shared/contracts/add-counts.ts";
import type { MailboxKey, RunId, SnapshotId } from "../../../shared/contracts/ids.ts";
import { restoreInstance, restoresInstance } from "../../../shared/contracts/job-ids.ts";
import { type JobState, jobOf, jobState } from "../../../shared/durable/job-status.ts";
import { findInstance, isAlive } from "../../../shared/durable/start-once.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { findListCall } from "../request/list-request-state.ts";
import { findRefused, type RefusedRestore } from "../request/resolved-list-state.ts";
import { RestorePlan, RestoreResult } from "../restore.contract.ts";
import type { ListedRestore, RestoredItems } from "../restore-list.contract.ts";
import { findRestoreList } from "../restore-list-state.ts";
import { isWhole, NO_ITEMS, restoredItems } from "../restored-items.steps.ts";
import { findRestoreReport } from "./restore-report.ts";

/** Jobs looked up at the same time. */
const LOOKUPS = 16;

/**
 * The outcome of a restore. `partial`: it ended, and at least one item did not come back; `refused`: it cannot start,
 * so that none of its list does; `not-started`: its list ended before its turn.
 */
type Outcome = Exclude<JobState, "completed"> | "complete" | "partial" | "waiting" | "refused" | "not-started";

/** One restore of a list. Its own report, which its job names, has the details. */
interface RestoreRow {
  readonly job: string;
  /** Absent while its list is looked up, and in one that is refused, as are the next two. */
  readonly mailbox?: MailboxKey;
  readonly into?: MailboxKey;
  readonly snapshot?: SnapshotId;
  readonly outcome: Outcome;
  readonly items?: RestoredItems;
  readonly error?: string;
}

/**
 * What a list of restores has done so far. The restores are in the order in which they run; until that is known, in the
 * order of the list.
 */
export interface ListReport {
  readonly v: 1;
  readonly job: string;
  readonly state: JobState;
  readonly dryRun: boolean;
  /** Numbers of restores, by outcome. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly items: RestoredItems;
  readonly restores: readonly RestoreRow[];
  /** Of a list that is refused: the restores that cannot start, by their positions, and why. */
  readonly refused?: readonly RefusedRestore[];
}

type Client = Pick<DurableClient, "getStatus">;

/** `undefined` when the list does not exist, or its scratch data has expired. */
export const listReport = async (client: Client, work: Blobs, listId: RunId): Promise<ListReport | undefined> => {
  const listed = (await findRestoreList(work, listId))?.flat();
  const call = listed === undefined ? await findListCall(work, listId) : undefined;
  if (listed === undefined && call === undefined) return undefined;
  const job = restoresInstance(listId);
  const list = await findInstance(client, job);
  const refused = call && (await findRefused(work, listId));
  const restores =
    call === undefined
      ? await mapBounded(listed ?? [], LOOKUPS, (restore) => rowOf(client, work, restore, isAlive(list)))
      : unresolvedRows(call.restoreIds, refused ?? [], isAlive(list));
  const outcomes: Partial<Record<Outcome, number>> = {};
  for (const { outcome } of restores) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    v: 1,
    job,
    state: list === undefined ? "unknown" : jobState(list),
    dryRun: call?.dryRun ?? listed?.[0]?.dryRun ?? false,
    outcomes,
    items: restores.reduce((sum, { items = NO_ITEMS }) => addCounts(sum, items), NO_ITEMS),
    restores,
    ...(refused === undefined ? {} : { refused }),
  };
};

/** The restores of a list that are being looked up, or of one that is refused. None has begun. */
const unresolvedRows = (
  restoreIds: readonly RunId[],
  refused: readonly RefusedRestore[],
  mayStart: boolean,
): RestoreRow[] => {
  const problems = new Map(refused.map(({ position, detail }) => [position, detail]));
  return restoreIds.map((restoreId, position) => {
    const job = restoreInstance(restoreId);
    const error = problems.get(position);
    if (error !== undefined) return { job, outcome: "refused", error };
    return { job, outcome: mayStart && refused.length === 0 ? "waiting" : "not-started" };
  });
};

const Output = z.union([RestoreResult, RestorePlan]);

const rowOf = async (
  client: Client,
  work: Blobs,
  { restoreId, mailbox, into = mailbox, snapshotId }: ListedRestore,
  mayStart: boolean,
): Promise<RestoreRow> => {
  const restore = { job: restoreInstance(restoreId), mailbox: mailbox.key, into: into.key, snapshot: snapshotId };
  const found = await findInstance(client, restore.job);
  if (found === undefined && mayStart) return { ...restore, outcome: "waiting" };
  if (found === undefined) {
    const report = await findRestoreReport(work, restoreId);
    return report === undefined ? { ...restore, outcome: "not-started" } : { ...restore, ...outcomeOf(report.counts) };
  }
  const { state, result, error } = jobOf(found);
  if (state === "completed" || result !== undefined) {
    const { outcome, items } = outcomeOf(Output.parse(result));
    return { ...restore, outcome: state === "completed" ? outcome : state, ...(items && { items }) };
  }
  return { ...restore, outcome: state, ...(error === undefined ? {} : { error }) };
};

const outcomeOf = (output: z.output<typeof Output>): Pick<RestoreRow, "outcome" | "items"> => {
  const items = restoredItems(output);
  return { outcome: isWhole(items) ? "complete" : "partial", items };
};
