import type * as z from "zod";
import { commitSnapshot, exportWave, openRun } from "../../../../functions/backup/backup.contract.ts";
import { commitSnapshotActivity } from "../../../../functions/backup/commit-snapshot.activity.ts";
import { exportMemory } from "../../../../functions/backup/export/export-memory.ts";
import { exportWaveActivity } from "../../../../functions/backup/export/export-wave.activity.ts";
import { openRunActivity } from "../../../../functions/backup/open-run.activity.ts";
import { planCache } from "../../../../functions/backup/plan/plan-cache.ts";
import { noProgress } from "../../../../functions/backup/wave.steps.ts";
import { addCounts } from "../../../../shared/contracts/add-counts.ts";
import { aMailboxInGraph, aRun, deliver } from "../../kit.ts";

type MailboxOptions = Parameters<typeof aMailboxInGraph>[0];
type Wave = z.input<typeof exportWave.input>;

/** An opened run, and functions that deliver its waves. */
export const anOpenedRun = async (mailboxOptions: MailboxOptions = {}, memory = exportMemory()) => {
  const kit = await aMailboxInGraph(mailboxOptions);
  const { openGraph, vault, work, state, mailbox } = kit;
  const run = { mailbox, runId: aRun };
  await deliver(openRunActivity({ vault, work, state, laneBudgetMs: 600_000 }), openRun, { ...run, full: false });

  const wave = (overrides: Partial<Wave> = {}) =>
    deliver(
      exportWaveActivity({ openGraph, vault, work, state, exportMemory: memory, planCache: planCache() }),
      exportWave,
      {
        ...run,
        wave: 0,
        slots: 4,
        budgetMs: 600_000,
        position: noProgress.position,
        ...overrides,
      },
    );
  /** A wave that plans everything and exports nothing, since Graph refuses to export for longer than the wave waits. */
  const plannedWave = async () => {
    await kit.fault({ kind: "status", endpoint: "export-items", status: 429, retryAfter: 900, count: 6 });
    const planned = await wave();
    await kit.admin["clear-faults"]({});
    return planned;
  };
  const commit = (waves: readonly Awaited<ReturnType<typeof wave>>[]) =>
    deliver(commitSnapshotActivity({ openGraph, vault, work, state }), commitSnapshot, {
      ...run,
      trigger: "request",
      totals: waves.reduce((totals, each) => addCounts(totals, each), noProgress.totals),
      waves: waves.length,
    });
  const stored = (kind: "packs" | "catalog") => [...vault.blobs.keys()].filter((name) => name.includes(`/${kind}/`));
  const exports = async () => (await kit.admin.counters({})).requests["export-items"] ?? 0;
  return { ...kit, wave, plannedWave, commit, stored, exports };
};
