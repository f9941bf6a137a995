import type { RunId } from "../../../shared/contracts/ids.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type Chunk, findChunk, keepChunk, type PlanCursor, type RunFolder, readChunk } from "../run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ItemPages } from "./item-pages.ts";
import type { PlanMemories } from "./plan-memories.ts";
import { cursorAt, planner } from "./planner.ts";

/** The chunks of a run, from one on. */
export interface ChunkChain {
  /** The number of the next chunk. */
  readonly nextChunk: number;
  /** The folder whose planning goes on there, by its place among the run's. */
  readonly folder: number;
  /** Whether there is none: everything is planned. */
  readonly planned: boolean;
  /** Whether planning stands before a folder, so that the next ones are not far. */
  readonly betweenFolders: boolean;
  /** Goes one chunk on, which ends early at the deadline, so that nobody waits for it. */
  extend(deadline?: number): Promise<Chunk>;
}

/**
 * The chain of chunks that planning makes. Each chunk is created once and says how to go on, so that planners that are
 * delivered twice, even at the same time, follow one chain.
 */
export const chunkChain = async (
  deps: {
    readonly graph: GraphClient;
    readonly pages: ItemPages;
    readonly work: Blobs;
    readonly catalogue: Catalogue;
    readonly memories: PlanMemories;
  },
  run: { readonly mailbox: MailboxAddress; readonly runId: RunId; readonly folders: readonly RunFolder[] },
  fromChunk: number,
): Promise<ChunkChain> => {
  const { work, catalogue, memories } = deps;
  const { runId } = run;
  const memory = memories.take(runId, fromChunk);
  const plan = planner(deps, catalogue, run, memory);
  let nextChunk = fromChunk;
  let cursor: PlanCursor | undefined =
    fromChunk === 0 ? cursorAt(run.folders, 0, 0) : (await readChunk(work, runId, fromChunk - 1)).next;

  /** What is remembered is of chunks that stand: of others, or of half a chunk, nothing may be. */
  const nextOf = async (start: PlanCursor, deadline: number | undefined): Promise<Chunk> => {
    const known = memory.known;
    memory.known = undefined;
    const found = await findChunk(work, runId, nextChunk);
    if (found !== undefined) return found;
    memory.known = known;
    try {
      const own = await plan(start, nextChunk, deadline);
      const kept = await keepChunk(work, runId, nextChunk, own);
      if (kept !== own) memory.known = undefined;
      return kept;
    } catch (error) {
      memory.known = undefined;
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
      memories.keep(runId, nextChunk, memory);
      return chunk;
    },
  };
};
