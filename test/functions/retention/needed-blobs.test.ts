import { describe, expect, test } from "vitest";
import { neededBlobs } from "../../../functions/retention/needed-blobs.ts";
import { packName, RECORDS_CHUNK } from "../../../shared/vault/names.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aSoundVault, soundKey } from "../../shared/vault/a-sound-vault.ts";
import { snapshotAt } from "../../shared/vault/samples.ts";

describe("neededBlobs", () => {
  test("has the packs without items of the snapshots on the way to the base, and of no others", async () => {
    const vault = await aSoundVault();
    const needed = neededBlobs({ vault, state: memoryBlobs() }, soundKey, [snapshotAt(1)], () => false);
    await needed.add(snapshotAt(2));
    const records = [0, 1, 2].map((run) => needed.has(packName(soundKey, snapshotAt(run), RECORDS_CHUNK, 0)));

    expect(records).toEqual([false, true, true]);
  });
});
