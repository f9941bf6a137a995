import { describe, expect, test } from "vitest";
import { backupStatus } from "../../../functions/backup/backup.progress.ts";
import { noProgress } from "../../../functions/backup/wave.steps.ts";
import { aRun } from "../kit.ts";

const progressOf = (expectedItems: number, totals: Partial<typeof noProgress.totals>) => ({
  ...noProgress,
  expectedItems,
  itemsPerSecond: 80,
  totals: { ...noProgress.totals, ...totals },
});

describe("backupStatus", () => {
  test("returns counts, rate and the remaining time", () => {
    const progress = progressOf(1_000, { planned: 500, exported: 180, skipped: 15, failed: 5, bytes: 9, throttled: 2 });

    expect(backupStatus("exporting", aRun, progress)).toEqual({
      phase: "exporting",
      runId: aRun,
      planned: 500,
      exported: 180,
      skipped: 15,
      failed: 5,
      bytes: 9,
      itemsPerSecond: 80,
      lanes: 4,
      throttled: 2,
      etaSeconds: 10,
    });
  });

  test("has no remaining time while no rate is known", () => {
    expect(backupStatus("opening", aRun, { ...noProgress, expectedItems: 1_000 })).not.toHaveProperty("etaSeconds");
  });

  test("counts planned items once they are more than expected, and never a negative number", () => {
    expect(backupStatus("exporting", aRun, progressOf(10, { planned: 160 })).etaSeconds).toBe(2);
    expect(backupStatus("done", aRun, progressOf(10, { exported: 20 })).etaSeconds).toBe(0);
  });
});
