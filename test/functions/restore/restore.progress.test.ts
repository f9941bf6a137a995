import { expect, test } from "vitest";
import { restoreStatus } from "../../../functions/restore/restore.progress.ts";

test("the status of a restore tells what was planned beside what is done", () => {
  const totals = { imported: 4, replaced: 1, ambiguous: 1, failed: 2, bytes: 40, throttled: 3 };

  expect(restoreStatus("importing", { items: 10, present: 5, bytes: 100 }, totals)).toEqual({
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
