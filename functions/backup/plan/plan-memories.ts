import type { RunId } from "../../../shared/contracts/ids.ts";
import type { PlanMemory } from "./planner.ts";

/** Runs whose planning a process remembers: 45 bytes for each item of the folder at hand. */
const MAX_RUNS = 4;

/**
 * What planners of this process know of their runs between waves. Whoever finds nothing here reads the chunks of the folder
 * again, which for a large one takes longer than a wave should.
 */
export interface PlanMemories {
  /** What was known when the chain of a run had come to a chunk, and no more from then on. */
  take(runId: RunId, nextChunk: number): PlanMemory;
  keep(runId: RunId, nextChunk: number, memory: PlanMemory): void;
}

export const planMemories = (): PlanMemories => {
  const memories = new Map<RunId, { readonly nextChunk: number; readonly memory: PlanMemory }>();
  return {
    take: (runId, nextChunk) => {
      const found = memories.get(runId);
      memories.delete(runId);
      return found?.nextChunk === nextChunk ? found.memory : {};
    },
    keep: (runId, nextChunk, memory) => {
      memories.delete(runId);
      memories.set(runId, { nextChunk, memory });
      for (const oldest of [...memories.keys()].slice(0, -MAX_RUNS)) memories.delete(oldest);
    },
  };
};
