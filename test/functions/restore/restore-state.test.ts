import { describe, expect, test } from "vitest";
import {
  adoptRestorePlan,
  claimRestorePlan,
  findFolderMap,
  findRestorePlan,
  keepFolderMap,
  keepRestoreChunk,
  keepRestorePlan,
  ledgerName,
  ledgersPrefix,
  type RestorePlanState,
  readFolderMap,
  readRestoreChunk,
  readRestorePlan,
} from "../../../functions/restore/restore-state.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aPut } from "../../shared/vault/samples.ts";

const RESTORE = "20261122T010000Z-abc234";

const aPlan = (overrides: Partial<RestorePlanState> = {}): RestorePlanState => ({
  generation: "one",
  started: "2026-11-22T01:00:00Z",
  items: 1,
  present: 0,
  replaced: 0,
  bytes: 10,
  bodyBytes: 216,
  pages: 1,
  secondsPerRequest: 0.5,
  chunks: 1,
  folders: [],
  ...overrides,
});

describe("a restore's plan", () => {
  test("is the first one that was kept, with its own chunks", async () => {
    const work = memoryBlobs();
    const plans = [aPlan(), aPlan({ generation: "two" })];
    await keepRestoreChunk(work, RESTORE, "two", 0, [aPut({ id: "of-two" })]);
    await keepRestoreChunk(work, RESTORE, "one", 0, [aPut({ id: "of-one" })]);

    const kept = await Promise.all(plans.map((plan) => keepRestorePlan(work, RESTORE, plan)));

    expect(kept).toEqual([plans[0], plans[0]]);
    const plan = await readRestorePlan(work, RESTORE);
    expect(await readRestoreChunk(work, RESTORE, plan, 0)).toMatchObject([{ id: "of-one" }]);
  });

  test("is undefined, or an error that names the restore, when there is none", async () => {
    const work = memoryBlobs();
    expect(await findRestorePlan(work, RESTORE)).toBeUndefined();
    await expect(readRestorePlan(work, RESTORE)).rejects.toThrow(`Restore ${RESTORE} has no plan`);
    await expect(readRestoreChunk(work, RESTORE, aPlan(), 3)).rejects.toThrow(`Restore ${RESTORE} has no chunk 3`);
  });
});

describe("the plan of a dry run", () => {
  const OTHER = "20261122T020000Z-abc234";

  test("can be the plan of another restore too, with the same chunks", async () => {
    const work = memoryBlobs();
    await keepRestoreChunk(work, RESTORE, "one", 0, [aPut({ id: "reviewed" })]);
    await keepRestorePlan(work, RESTORE, aPlan());

    const plan = await adoptRestorePlan(work, OTHER, RESTORE, "2026-11-22T02:00:00Z");

    expect(plan).toEqual({ ...aPlan(), chunksOf: RESTORE, started: "2026-11-22T02:00:00Z" });
    expect(await readRestorePlan(work, OTHER)).toEqual(plan);
    expect(await readRestoreChunk(work, OTHER, plan, 0)).toMatchObject([{ id: "reviewed" }]);
  });

  test("belongs to the restore that claims it first", async () => {
    const work = memoryBlobs();

    expect(await claimRestorePlan(work, RESTORE, OTHER)).toBe(OTHER);
    expect(await claimRestorePlan(work, RESTORE, "20261122T030000Z-abc234")).toBe(OTHER);
  });
});

test("a chunk keeps which live item an item replaces", async () => {
  const work = memoryBlobs();
  const item = { ...aPut(), replaces: { id: "live", changeKey: "key" } };
  await keepRestoreChunk(work, RESTORE, "one", 0, [item]);

  expect(await readRestoreChunk(work, RESTORE, aPlan(), 0)).toEqual([item]);
});

describe("a restore's folders", () => {
  test("are the first ones that were kept", async () => {
    const work = memoryBlobs();
    expect(await findFolderMap(work, RESTORE)).toBeUndefined();
    await expect(readFolderMap(work, RESTORE)).rejects.toThrow(/has no folders yet/);

    await keepFolderMap(work, RESTORE, { inbox: "live-1" });
    await keepFolderMap(work, RESTORE, { inbox: "live-2" });

    expect(await readFolderMap(work, RESTORE)).toEqual({ inbox: "live-1" });
  });
});

test("ledgers lie under the restore, in the order of their chunks", () => {
  const names = [2, 10, 100_000].map((chunk) => ledgerName(RESTORE, chunk));
  expect(names.toSorted()).toEqual(names);
  expect(names.every((name) => name.startsWith(ledgersPrefix(RESTORE)))).toBe(true);
});
