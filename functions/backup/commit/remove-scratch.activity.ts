import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../../shared/bounded.ts";
import { implement } from "../../../shared/durable/activity.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { runBlobs, scratchOf } from "../run-state.ts";
import { removeScratch } from "./remove-scratch.contract.ts";

/** Blobs that are removed at the same time. */
const REMOVALS = 8;

/**
 * Removes the scratch data of a run that has ended, and of those before it, with which none will go on any more. A
 * delivery that comes late leaves the runs that began since.
 */
export const removeScratchActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(removeScratch, async ({ mailbox, runId }) => {
    const work = scratchOf(deps.work, mailbox.key);
    let removed = 0;
    for await (const run of work.listFolders("")) {
      if (run > runId) continue;
      const [opened, ...others] = await runBlobs(work, run);
      await work.remove(opened);
      await mapBounded(others, REMOVALS, (name) => work.remove(name));
      removed += 1 + others.length;
    }
    return { removed };
  });
