import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, readJson, updateJson } from "../../../shared/storage/blobs.ts";
import { RestoreTotals } from "../restore.contract.ts";

/** How often a wave writes what it has done. People see it within 5 s. */
const WRITE_MS = 3_000;

const LiveProgress = RestoreTotals.omit({ throttled: true }).extend({
  /** Items a second of this wave so far; absent before it has settled one. */
  itemsPerSecond: z.number().optional(),
});
export type LiveProgress = z.output<typeof LiveProgress>;

const progressName = (restoreId: RunId): string => `restore-${restoreId}/progress.json`;

/** What a restore's waves have done, the one under way included; `undefined` before the first one. */
export const findLiveProgress = (work: Blobs, restoreId: RunId): Promise<LiveProgress | undefined> =>
  readJson(work, progressName(restoreId), LiveProgress);

/**
 * Does a wave's work, and writes every 3 s what it has come to, if that is something new. A write that fails is made up
 * for by the next: nothing but what people see depends on it.
 */
export const whileShown = async <T>(
  work: Blobs,
  restoreId: RunId,
  progress: () => LiveProgress,
  run: () => Promise<T>,
  writeMs: number = WRITE_MS,
): Promise<T> => {
  let shown = settledIn(progress());
  const show = async (): Promise<void> => {
    const now = progress();
    if (settledIn(now) <= shown) return;
    shown = settledIn(now);
    await updateJson(work, progressName(restoreId), LiveProgress, () => now).catch(() => undefined);
  };
  let showing: Promise<void> | undefined;
  const timer = setInterval(() => {
    showing ??= show().finally(() => {
      showing = undefined;
    });
  }, writeMs);
  try {
    return await run();
  } finally {
    clearInterval(timer);
    await showing;
  }
};

const settledIn = ({ imported, replaced, ambiguous, failed }: LiveProgress): number =>
  imported + replaced + ambiguous + failed;
