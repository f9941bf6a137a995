import type { GraphClient } from "../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../shared/graph/mailbox-address.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import {
  type Chunk,
  findChunk,
  keepChunk,
  type PlanCursor,
  type RunFolder,
  readChunk,
} from "../../shared/work/run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ItemPages } from "./item-pages.ts";
import { cursorAt, planner } from "./planner.ts";

/** The chunks of a run, from one on. */
export interface ChunkChain {
  /** The number of the next chunk. */
  readonly nextChunk: number;
  /** The folder whose planning goes on there, by its place among the run's. */
  readonly folder: number;
  /** Whether there is none: everything is planned. */
  readonly planned: boolean;
  /** Goes one chunk on, which ends early at the deadline, so that nobody waits for it. */
  extend(deadline?: number): Promise<Chunk>;
}

/**
 * The chain of chunks that planning makes. Each chunk is created once and says how to go on, so that planners that are
 * delivered twice, even at the same time, follow one chain.
 */
export const chunkChain = async (
  deps: { readonly graph: GraphClient; readonly pages: ItemPages; readonly work: Blobs; readonly catalogue: Catalogue },
  run: { readonly mailbox: MailboxAddress; readonly runId: RunId; readonly folders: readonly RunFolder[] },
  fromChunk: number,
): Promise<ChunkChain> => {
  const { work, catalogue } = deps;
  const plan = planner(deps, catalogue, run);
  let nextChunk = fromChunk;
  let cursor: PlanCursor | undefined =
    fromChunk === 0 ? cursorAt(run.folders, 0, 0) : (await readChunk(work, run.runId, fromChunk - 1)).next;

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
    extend: async (deadline) => {
      if (cursor === undefined) throw new Error(`Run ${run.runId} is planned: it has no chunk ${nextChunk}`);
      const chunk =
        (await findChunk(work, run.runId, nextChunk)) ??
        (await keepChunk(work, run.runId, nextChunk, await plan(cursor, nextChunk, deadline)));
      nextChunk += 1;
      cursor = chunk.next;
      return chunk;
    },
  };
};
