import type { ActivityHandler } from "durable-functions";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { readHead, readManifest } from "../../shared/vault/snapshots.ts";
import { adoptRun } from "./adopt-run.ts";
import { openRun } from "./backup.contract.ts";
import { keepRun, type RunState, scratchOf } from "./run-state.ts";

/**
 * Pins the snapshot that the run follows, unless a run died that can be gone on with. Run twice, the first pin is kept,
 * even after another run has committed.
 */
export const openRunActivity = (deps: {
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implement(openRun, async ({ mailbox, runId, full }) => {
    const { vault, laneBudgetMs } = deps;
    const work = scratchOf(deps.work, mailbox.key);
    const parent = await newestSnapshot(vault, mailbox.key);
    const state = { mailbox: mailbox.key, run: runId, started: new Date().toISOString(), parent, full };
    // A full run lists everything itself.
    const unfinished = full ? undefined : await adoptRun(work, state);
    if (unfinished === undefined) await keepRun(work, state);
    return { laneBudgetMs, unfinished };
  });

/** Also none when its manifest is lost: everything is then stored anew, as a base that needs no parent. */
const newestSnapshot = async (vault: Blobs, key: MailboxKey): Promise<RunState["parent"]> => {
  const newest = (await readHead(vault, key))?.newest;
  const found = newest && (await readManifest(vault, key, newest.id));
  return found ? { id: found.manifest.id, sha256: found.sha256 } : null;
};
