import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../shared/bounded.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { removeWaves } from "./verify.contract.ts";
import { removeVerifyWave, wavesOf } from "./verify-wave-state.ts";

/** Blobs that are removed at the same time. */
const REMOVALS = 8;

/** Removes the waves of a verification. Run twice, the second finds nothing. */
export const removeWavesActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(removeWaves, async ({ run, waves, scope }) => {
    const work = wavesOf(deps.work, scope);
    const all = Array.from({ length: waves }, (_, wave) => wave);
    const removed = await mapBounded(all, REMOVALS, (wave) => removeVerifyWave(work, run, wave));
    return { removed: removed.filter(Boolean).length };
  });
