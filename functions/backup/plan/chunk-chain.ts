import type { RunId } from "../../../shared/contracts/ids.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { type Chunk, findChunk, keepChunk, type PlanCursor, type RunFolder, readChunk } from "../run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import { folderPlans, type PlanDeps } from "./folder-plans.ts";
import { cursorAt } from "./folder-step.ts";
import type { PlanCache } from "./plan-cache.ts";
import { planner } from "./planner.ts";

/** The chunks of a run, from a given one on. */
export interface ChunkChain {
  /** The number of the next chunk. */
  readonly nextChunk: number;
  /** Whether everything is planned: there is no next chunk. */
  readonly planned: boolean;
  /** Returns the next chunk, planned unless it exists. It ends early at the deadline, so that no lane waits for it. */
  extend(deadline?: number): Promise<Chunk>;
  /** Begins nothing more before its turn; resolves when nothing is under way any more. */
  settled(): Promise<void>;
}

/**
 * The chain of chunks that planning makes. Each chunk is created once and holds the cursor of the next one, so that a
 * planner that is delivered twice, even at the same time, follows one chain.
 */
export const chunkChain = async (
  deps: PlanDeps & {
    readonly catalogue: Catalogue;
    readonly planCache: PlanCache;
    /** Whether folders may be planned before their turn. */
    readonly mayBegin: () => boolean;
  },
  run: { readonly mailbox: MailboxAddress; readonly runId: RunId; readonly folders: readonly RunFolder[] },
  fromChunk: number,
): Promise<ChunkChain> => {
  const { work, catalogue, planCache } = deps;
  const { runId } = run;
  const cached = planCache.take(runId, fromChunk);
  const plans = folderPlans(deps, catalogue, run, cached, deps.mayBegin);
  const plan = planner(plans, run.folders);
  let nextChunk = fromChunk;
  let cursor: PlanCursor | undefined =
    fromChunk === 0 ? cursorAt(run.folders, 0, 0) : (await readChunk(work, runId, fromChunk - 1)).next;

  /** Only steps of the chain may be in the cache: none of a chunk that lost to another delivery's, or that failed. */
  const nextOf = async (start: PlanCursor, deadline: number | undefined): Promise<Chunk> => {
    const found = await findChunk(work, runId, nextChunk);
    if (found !== undefined) {
      plans.forget();
      return found;
    }
    try {
      const own = await plan(start, nextChunk, deadline);
      const kept = await keepChunk(work, runId, nextChunk, own);
      if (kept !== own) plans.forget();
      return kept;
    } catch (error) {
      plans.forget();
      throw error;
    }
  };

  return {
    get nextChunk() {
      return nextChunk;
    },
    get planned() {
      return cursor === undefined;
    },
    extend: async (deadline) => {
      if (cursor === undefined) throw new Error(`Run ${runId} is planned: it has no chunk ${nextChunk}`);
      const chunk = await nextOf(cursor, deadline);
      nextChunk += 1;
      cursor = chunk.next;
      planCache.put(runId, nextChunk, cached);
      return chunk;
    },
    settled: plans.settled,
  };
};
