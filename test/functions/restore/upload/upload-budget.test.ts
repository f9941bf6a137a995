import { describe, expect, test } from "vitest";
import { keepUploadBudget, openUploadBudget } from "../../../../functions/restore/upload/upload-budget.ts";
import { MAILBOX_UPLOAD_BYTES } from "../../../../shared/contracts/limits.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aKey } from "../../../shared/vault/samples.ts";

const ALL = MAILBOX_UPLOAD_BYTES.most;

describe("the upload budget of a mailbox", () => {
  test("is shared by all restores into it, one after the other", async () => {
    const work = memoryBlobs();
    const first = await openUploadBudget(work, aKey, []);
    first.spend(ALL);
    await keepUploadBudget(work, aKey, first);

    const second = await openUploadBudget(work, aKey, []);
    expect(second.waitMs(1)).toBeGreaterThan(0);
    expect((await openUploadBudget(work, "another" as typeof aKey, [])).waitMs(1)).toBe(0);
  });

  test("counts what its restore knows of and storage does not, and what both know of once", async () => {
    const work = memoryBlobs();
    const first = await openUploadBudget(work, aKey, []);
    first.spend(ALL / 2);
    const known = await openUploadBudget(work, aKey, first.spent);
    await keepUploadBudget(work, aKey, first);
    const both = await openUploadBudget(work, aKey, first.spent);

    for (const budget of [known, both]) {
      expect(budget.waitMs(ALL / 2)).toBe(0);
      expect(budget.waitMs(ALL / 2 + 1)).toBeGreaterThan(0);
    }
  });

  test("of two waves that end at the same time has the steps of both", async () => {
    const work = memoryBlobs();
    const [one, other] = [await openUploadBudget(work, aKey, []), await openUploadBudget(work, aKey, [])];
    one.spend(ALL);
    await Promise.all([keepUploadBudget(work, aKey, one), keepUploadBudget(work, aKey, other)]);

    expect((await openUploadBudget(work, aKey, [])).waitMs(1)).toBeGreaterThan(0);
  });
});
