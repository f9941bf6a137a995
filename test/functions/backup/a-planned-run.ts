import { commitSnapshotActivity } from "../../../functions/backup/commit-snapshot.activity.ts";
import { exportChunksActivity } from "../../../functions/backup/export-chunks.activity.ts";
import { openRunActivity } from "../../../functions/backup/open-run.activity.ts";
import { planChangesActivity } from "../../../functions/backup/plan-changes.activity.ts";
import { addTotals, chunkRanges, noProgress } from "../../../functions/backup/wave.ts";
import { commitSnapshot, exportChunks, openRun, planChanges } from "../../../shared/contracts/backup.ts";
import { aMailboxInGraph, aRun, deliver } from "../kit.ts";

/** A run that was opened and planned whole, and the lanes that may now work. */
export const aPlannedRun = async (items: number, itemBytes = 500) => {
  const kit = await aMailboxInGraph({ items, bytes: { fixed: itemBytes } });
  const { openGraph, vault, work, mailbox } = kit;
  const run = { mailbox, runId: aRun };
  await deliver(openRunActivity({ openGraph, vault, work, laneBudgetMs: 60_000 }), openRun, { ...run, full: false });
  const plan = () =>
    deliver(planChangesActivity({ openGraph, vault, work }), planChanges, {
      ...run,
      wave: 0,
      fromChunk: 0,
      mostChunks: 64,
      budgetMs: 60_000,
    });
  const planned = await plan();
  const ranges = chunkRanges(0, planned.chunks);
  const lane = (overrides: Partial<{ wave: number; lane: number; ranges: typeof ranges; budgetMs: number }> = {}) =>
    deliver(exportChunksActivity({ openGraph, vault, work }), exportChunks, {
      ...run,
      wave: 1,
      lane: 0,
      ranges,
      budgetMs: 60_000,
      ...overrides,
    });
  const commit = (lanes: readonly Awaited<ReturnType<typeof lane>>[]) =>
    deliver(commitSnapshotActivity({ vault, work }), commitSnapshot, {
      ...run,
      trigger: "request",
      totals: lanes.reduce(addTotals, noProgress.totals),
    });
  const stored = (kind: "packs" | "catalog") => [...vault.blobs.keys()].filter((name) => name.includes(`/${kind}/`));
  const exports = async () => (await kit.admin.counters({})).requests["export-items"] ?? 0;
  return { ...kit, plan, planned, ranges, lane, commit, stored, exports };
};
