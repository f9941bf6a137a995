import type { ActivityHandler } from "durable-functions";
import type { AuditLog } from "../../../shared/audit/audit-log.ts";
import { mapBounded } from "../../../shared/bounded.ts";
import { restoreInstance, restoresInstance } from "../../../shared/contracts/job-ids.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Priority } from "../restore.contract.ts";
import type { ListedRestore } from "../restore-list.contract.ts";
import { findRestoreList, keepRestoreList, type RestoreList } from "../restore-list-state.ts";
import { readListCall } from "./list-request-state.ts";
import { repeated, repetitions } from "./refused-at-once.ts";
import { arrangeRestores, MAX_SHOWN, type Refusal } from "./resolve-list.contract.ts";
import {
  keepRefused,
  type RefusedRestore,
  type ResolvedPage,
  readAllResolved,
  type StartableRestore,
} from "./resolved-list-state.ts";

/** Lines of the audit log that are written at the same time. */
const LINES = 16;

/**
 * Refuses a list when some of its restores cannot start; else writes a line of the audit log for each, and puts them
 * into the order in which they run. Nothing starts without the audit log.
 *
 * Run twice, the order of the first delivery stands. Lines may be written twice, with the same job ids.
 */
export const arrangeRestoresActivity = (deps: { readonly work: Blobs; readonly audit: AuditLog }): ActivityHandler =>
  implementThroughOutages(arrangeRestores, async ({ listId }) => {
    const { work, audit } = deps;
    const arranged = await findRestoreList(work, listId);
    if (arranged !== undefined) return { mailboxes: arranged.length };

    const { at, principal, reason, dryRun, restoreIds } = await readListCall(work, listId);
    const found = await readAllResolved(work, listId, restoreIds.length);
    const refused = refusedOf(found);
    if (refused.length > 0) return shown(await keepRefused(work, listId, refused));

    const common = { at, principal, list: restoresInstance(listId), dryRun, reason };
    await mapBounded(found.startable, LINES, ({ listed, audited }) =>
      audit.append("restores", { ...common, job: restoreInstance(listed.restoreId), ...audited }),
    );
    const list = byTargetMailbox(byPriority(found.startable).map(({ listed, priority }) => ({ ...listed, priority })));
    await keepRestoreList(work, listId, list);
    return { mailboxes: list.length };
  });

/** Those that cannot start, and those that do the same as an earlier one, though they say it in other words. */
const refusedOf = ({ refused, startable }: ResolvedPage): RefusedRestore[] => {
  const firstOf = repetitions();
  const repeating = startable.flatMap(({ sum, position }) => {
    const first = firstOf(sum, position);
    return first === position ? [] : [{ ...repeated(first), position }];
  });
  return [...refused, ...repeating].toSorted((a, b) => a.position - b.position);
};

const shown = (refused: readonly RefusedRestore[]): Refusal => ({
  refused: refused
    .slice(0, MAX_SHOWN)
    .map(({ position, type, title, status, detail }) => ({ position, type, title, status, detail })),
  count: refused.length,
});

const RANKS: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };

/** Restores of one priority stay in the order of the list. */
const byPriority = (restores: readonly StartableRestore[]): readonly StartableRestore[] =>
  restores.toSorted((a, b) => RANKS[a.priority] - RANKS[b.priority]);

/** A queue for each mailbox to restore into, in the order of their first restores. */
const byTargetMailbox = (restores: readonly ListedRestore[]): RestoreList => {
  const queues = new Map<string, ListedRestore[]>();
  for (const restore of restores) {
    const { key } = restore.into ?? restore.mailbox;
    queues.set(key, [...(queues.get(key) ?? []), restore]);
  }
  return [...queues.values()];
};
