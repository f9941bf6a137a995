import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { adoptRun } from "./adopt-run.ts";
import { openRun } from "./backup.contract.ts";
import { startOf } from "./run-start.ts";
import { keepRun, scratchOf } from "./run-state.ts";

/**
 * Pins what the run begins with, and its id, unless a run died that can be gone on with. Run twice, the first pins are
 * kept, even after another run has committed.
 */
export const openRunActivity = (deps: {
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implement(openRun, async ({ mailbox, runId, full, startOver = false }, context) => {
    const { laneBudgetMs } = deps;
    const work = scratchOf(deps.work, mailbox.key);
    const { damage, lastId, ...start } = await startOf(deps, { key: mailbox.key, runId, startOver });
    if (damage !== undefined) context.error(`The vault of ${mailbox.key} is damaged: ${damage}`);
    const opened = { laneBudgetMs, ...(damage && { damage }) };

    const state = { mailbox: mailbox.key, run: runId, started: new Date().toISOString(), full, ...start };
    // A full run lists everything itself.
    const unfinished = full ? undefined : await adoptRun(work, state, lastId);
    if (unfinished !== undefined) return { ...opened, unfinished };
    const { renamed, ...kept } = await keepRun(work, state);
    if (renamed !== undefined) await keepRun(work, { ...kept, run: renamed });
    return { ...opened, ...(renamed && { runId: renamed }) };
  });
