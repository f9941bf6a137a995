import type { RunId } from "../../../shared/contracts/ids.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type Chunk, findChunk, keepChunk, type PlanCursor, type RunFolder, readChunk } from "../run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ItemPages } from "./item-pages.ts";
import type { PlanCache } from "./plan-cache.ts";
import { cursorAt, planner } from "./planner.ts";

/** The chunks of a run, from a given one on. */
export interface ChunkChain {
  /** The number of the next chunk. */
  readonly nextChunk: number;
  /** The folder that the next chunk begins in, as an index into the run's folders. */
  readonly folder: number;
  /** Whether everything is planned: there is no next chunk. */
  readonly planned: boolean;
  /** Whether planning stands before a folder's first page, so that the folders after it are planned soon. */
  readonly betweenFolders: boolean;
  /** Returns the next chunk, planned unless it exists. It ends early at the deadline, so that no lane waits for it. */
  extend(deadline?: number): Promise<Chunk>;
}

/**
 * The chain of chunks that planning makes. Each chunk is created once and holds the cursor of the next one, so that a
 * planner that is delivered twice, even at the same time, follows one chain.
 */
export const chunkChain = async (
  deps: {
    readonly graph: GraphClient;
    readonly pages: ItemPages;
    readonly work: Blobs;
    readonly catalogue: Catalogue;
    readonly planCache: PlanCache;
  },
  run: { readonly mailbox: MailboxAddress; readonly runId: RunId; readonly folders: readonly RunFolder[] },
  fromChunk: number,
): Promise<ChunkChain> => {
  const { work, catalogue, planCache } = deps;
  const { runId } = run;
  const cached = planCache.take(runId, fromChunk);
  const plan = planner(deps, catalogue, run, cached);
  let nextChunk = fromChunk;
  let cursor: PlanCursor | undefined =
    fromChunk === 0
      ? cursorAt(run.folders, 0, { folderChunk: 0, generation: 0 })
      : (await readChunk(work, runId, fromChunk - 1)).next;

  /** Only chunks of the chain may be in the cache: none that lost to another delivery's, and no half-planned one. */
  const nextOf = async (start: PlanCursor, deadline: number | undefined): Promise<Chunk> => {
    const { current } = cached;
    cached.current = undefined;
    const found = await findChunk(work, runId, nextChunk);
    if (found !== undefined) return found;
    cached.current = current;
    try {
      const own = await plan(start, nextChunk, deadline);
      const kept = await keepChunk(work, runId, nextChunk, own);
      if (kept !== own) cached.current = undefined;
      return kept;
    } catch (error) {
      cached.current = undefined;
      throw error;
    }
  };

  return {
    get nextChunk() {
      return nextChunk;
    },
    get folder() {
      return cursor?.folder ?? run.folders.length;
    },
    get planned() {
      return cursor === undefined;
    },
    get betweenFolders() {
      return cursor?.link === undefined;
    },
    extend: async (deadline) => {
      if (cursor === undefined) throw new Error(`Run ${runId} is planned: it has no chunk ${nextChunk}`);
      const chunk = await nextOf(cursor, deadline);
      nextChunk += 1;
      cursor = chunk.next;
      planCache.put(runId, nextChunk, cached);
      return chunk;
    },
  };
};
