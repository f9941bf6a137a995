import { expect, test } from "vitest";
import { findVersions, keepVersions } from "../../../../functions/restore/undo/imported-versions.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aRestoreId } from "../../kit.ts";

test("the first version of an item stands, and a restore that was resumed adds those of others", async () => {
  const work = memoryBlobs();
  await keepVersions(work, aRestoreId, [["one", "v1"]]);
  await keepVersions(work, aRestoreId, [
    ["one", "changed-since"],
    ["two", "v2"],
  ]);
  await keepVersions(work, aRestoreId, []);

  expect(await findVersions(work, aRestoreId)).toEqual(
    new Map([
      ["one", "v1"],
      ["two", "v2"],
    ]),
  );
});
