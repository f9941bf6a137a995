import { describe, expect, test } from "vitest";
import { restoreStatus } from "../../../functions/restore/restore.progress.ts";

const plan = { items: 1_000, present: 50, bytes: 9_000 };
const totals = { imported: 90, replaced: 0, ambiguous: 4, failed: 6, bytes: 800, throttled: 0 };

describe("the status of a restore", () => {
  test("has what was planned beside what is done", () => {
    const done = { imported: 4, replaced: 1, ambiguous: 1, failed: 2, bytes: 40, throttled: 3 };

    expect(restoreStatus("importing", { items: 10, present: 5, bytes: 100 }, done)).toEqual({
      phase: "importing",
      items: 10,
      present: 5,
      bytes: 100,
      imported: 4,
      replaced: 1,
      ambiguous: 1,
      failed: 2,
      importedBytes: 40,
      throttled: 3,
    });
  });

  test("estimates the time left by the rate of the last wave, until every planned item is settled", () => {
    const status = restoreStatus("importing", plan, totals, { settled: 50, elapsedMs: 20_000 });
    expect(status).toMatchObject({ itemsPerSecond: 2.5, etaSeconds: 360 });
  });

  test("has a rate below one item a second", () => {
    const status = restoreStatus("importing", plan, totals, { settled: 30, elapsedMs: 100_000 });
    expect(status).toMatchObject({ itemsPerSecond: 0.3, etaSeconds: 3_000 });
  });

  test.each([
    ["no wave has ended", undefined],
    ["the wave imported nothing", { settled: 0, elapsedMs: 20_000 }],
  ])("has no estimate when %s", (_, pace) => {
    const status = restoreStatus("importing", plan, totals, pace);
    expect(status).not.toHaveProperty("itemsPerSecond");
    expect(status).not.toHaveProperty("etaSeconds");
  });

  test("ends with no time left", () => {
    const done = { ...totals, imported: 990 };
    expect(restoreStatus("importing", plan, done, { settled: 50, elapsedMs: 20_000 }).etaSeconds).toBe(0);
  });
});
