import type { RunId } from "../../../shared/contracts/ids.ts";
import { type CachedPlan, nothingPlanned } from "./folder-plans.ts";

/** Most runs in the cache of a process, as many as the window has: each takes 45 bytes for an item of its folders. */
const MAX_RUNS = 8;

/**
 * What the planners of this process know between the waves of a run. A planner that finds nothing here reads the chunks
 * of its folder again, which for a large folder takes longer than a wave should.
 */
export interface PlanCache {
  /** Takes out what was put in when the run's chain had come to this chunk; empty when there is no such entry. */
  take(runId: RunId, nextChunk: number): CachedPlan;
  put(runId: RunId, nextChunk: number, plan: CachedPlan): void;
}

export const planCache = (): PlanCache => {
  const entries = new Map<RunId, { readonly nextChunk: number; readonly plan: CachedPlan }>();
  return {
    take: (runId, nextChunk) => {
      const entry = entries.get(runId);
      entries.delete(runId);
      return entry?.nextChunk === nextChunk ? entry.plan : nothingPlanned();
    },
    put: (runId, nextChunk, plan) => {
      entries.delete(runId);
      entries.set(runId, { nextChunk, plan });
      for (const oldest of [...entries.keys()].slice(0, -MAX_RUNS)) entries.delete(oldest);
    },
  };
};
