import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import { ensureFolder } from "../../../shared/graph/folders.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { isFull } from "../../../shared/graph/graph-error.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { whileWatched } from "../../jobs/watch-wish.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { ensureFolders, type Stopped } from "../restore.contract.ts";
import { type FolderMap, keepFolderMap, readRestorePlan } from "../restore-state.ts";
import { onlyUnderLease } from "../target/under-lease.ts";

/** How long creating folders waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 120_000;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  /** How long the mailbox and slots are held without being renewed. */
  readonly holdMs?: number | undefined;
  readonly state: Blobs;
}

type Input = z.output<typeof ensureFolders.input>;

/**
 * Creates the missing folders of a restore, parents first, and keeps the map from folders of the snapshot to live ones.
 *
 * A mailbox that is full takes no folder: the restore stops before it has begun.
 *
 * Run twice, the second run finds the folders of the first by their names.
 */
export const ensureFoldersActivity = (deps: Deps): ActivityHandler =>
  implementThroughOutages(ensureFolders, (input) =>
    onlyUnderLease(
      deps.work,
      input,
      (lease) => whileWatched(deps.state, input.jobs ?? [], (told) => makeFolders(deps, input, { ...lease, told })),
      deps.holdMs,
    ),
  );

const makeFolders = async (
  deps: Deps,
  { restoreId, mailbox }: Input,
  { isHeld, told }: Held & { readonly told: AbortSignal },
): Promise<{ created: number; stopped?: Stopped }> => {
  const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS, isHeld, stopping: told });
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
    const folder = await ensureFolder(graph, mailbox, wanted).catch(fullOf);
    if ("stopped" in folder) return { created, ...folder };
    live[sourceId] = folder.id;
    if (folder.created) created += 1;
  }
  await keepFolderMap(deps.work, restoreId, live);
  return { created };
};

const fullOf = (error: unknown): { readonly stopped: Stopped } => {
  if (!isFull(error)) throw error;
  return { stopped: { reason: "full", code: error.code || `status-${error.status}` } };
};
