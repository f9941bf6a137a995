import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implement } from "../../../shared/durable/activity.ts";
import { ensureFolder } from "../../../shared/graph/folders.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { ensureFolders } from "../restore.contract.ts";
import { type FolderMap, keepFolderMap, readRestorePlan } from "../restore-state.ts";
import { onlyUnderLease } from "../target/under-lease.ts";

/** How long creating folders waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 120_000;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
}

type Input = z.output<typeof ensureFolders.input>;

/**
 * Creates the missing folders of a restore, parents first, and keeps the map from folders of the snapshot to live ones.
 *
 * Run twice, the second run finds the folders of the first by their names.
 */
export const ensureFoldersActivity = (deps: Deps): ActivityHandler =>
  implement(ensureFolders, (input) => onlyUnderLease(deps.work, input, (lease) => makeFolders(deps, input, lease)));

const makeFolders = async (
  deps: Deps,
  { restoreId, mailbox }: Input,
  { isHeld }: Held,
): Promise<{ created: number }> => {
  const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS, isHeld });
  const { folders } = await readRestorePlan(deps.work, restoreId);
  const live: FolderMap = {};
  let created = 0;
  for (const { sourceId, liveId, displayName, type, parentSourceId } of folders) {
    if (liveId !== undefined) {
      live[sourceId] = liveId;
      continue;
    }
    const parentId = parentSourceId === undefined ? undefined : live[parentSourceId];
    const wanted = { displayName, type, ...(parentId === undefined ? {} : { parentId }) };
    const folder = await ensureFolder(graph, mailbox, wanted);
    live[sourceId] = folder.id;
    if (folder.created) created += 1;
  }
  await keepFolderMap(deps.work, restoreId, live);
  return { created };
};
