import { describe, expect, test } from "vitest";
import { forgetAndPrune, type RetentionContext } from "../../../functions/retention/forget-and-prune.ts";
import { readCandidates } from "../../../functions/retention/prune-candidates.ts";
import { runId } from "../../../shared/contracts/ids.ts";
import { RetentionPolicy } from "../../../shared/retention-policy.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import { baseName, manifestName, packName, partName } from "../../../shared/vault/names.ts";
import { moveHead, nameSnapshots, writeManifest } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, all, aManifest, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { writeHistory } from "../browse/a-vault.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-11-23T00:00:00Z");

/** Snapshots that each store one item anew, in a pack of their own. */
const aVault = async (snapshots: number) => {
  const vault = memoryBlobs();
  const history = Array.from({ length: snapshots }, (_, n) => [
    [aPut({ id: n % 2 === 0 ? "even" : "odd", changeKey: `${n}`, pack: packOf(n) })],
  ]);
  await writeHistory(vault, history);
  for (let n = 0; n < snapshots; n += 1) await vault.create(packOf(n), Buffer.from("a pack"));
  return vault;
};

const packOf = (n: number) => packName(aKey, snapshotAt(n), 0, 0);

const aCleaner = (vault: Blobs, policy = "last=2", state = memoryBlobs()) => {
  const cycle = (hours: number, context: Partial<RetentionContext> = {}) =>
    forgetAndPrune({ vault, remove: vault.remove, state, policy: RetentionPolicy.parse(policy) }, aKey, {
      nowMs: START_MS + hours * HOUR_MS,
      isLate: () => false,
      isRunning: async () => false,
      inUse: async () => () => false,
      ...context,
    });
  return { state, cycle };
};

const namesIn = (vault: ReturnType<typeof memoryBlobs>, kind: string): string[] =>
  [...vault.blobs.keys()].filter((name) => name.includes(`/${kind}/`)).toSorted();

const liveIn = async (vault: Blobs, n: number): Promise<string[]> =>
  (await all(foldSnapshot(vault, aKey, snapshotAt(n)))).map(({ changeKey }) => changeKey).toSorted();

describe("a cycle of retention", () => {
  test("removes in two steps a day apart the blobs that only expiring snapshots need", async () => {
    const vault = await aVault(6);
    const { cycle } = aCleaner(vault);

    expect(await cycle(0)).toMatchObject({ outcome: "done", kept: 2, going: 4, compacted: 1, removed: 0, waiting: 12 });
    expect(await cycle(23.99)).toMatchObject({ removed: 0, waiting: 12 });
    expect(await cycle(24)).toMatchObject({ kept: 2, going: 4, compacted: 0, removed: 12, waiting: 0, refused: 0 });

    expect((await nameSnapshots(vault, aKey)).manifests).toEqual([4, 5].map(snapshotAt));
    expect(namesIn(vault, "packs")).toEqual([3, 4, 5].map(packOf));
    expect(await liveIn(vault, 4)).toEqual(["3", "4"]);
    expect(await liveIn(vault, 5)).toEqual(["4", "5"]);
    expect(await cycle(48)).toMatchObject({ kept: 2, going: 0, removed: 0, waiting: 0 });
  });

  test("keeps a snapshot that the policy keeps again", async () => {
    const vault = await aVault(6);
    const { state, cycle } = aCleaner(vault);
    await cycle(0);

    expect(await aCleaner(vault, "last=9", state).cycle(25)).toMatchObject({ kept: 6, removed: 0, waiting: 0 });
    expect(await cycle(26)).toMatchObject({ removed: 0, waiting: 12 });
  });

  test("keeps the newest complete snapshot when the newest is partial", async () => {
    const vault = memoryBlobs();
    let parent: Manifest["parent"] = null;
    for (const [n, state] of (["complete", "complete", "partial", "partial"] as const).entries()) {
      const { sha256 } = await writeManifest(vault, aManifest({ id: snapshotAt(n), parent, base: n === 0, state }));
      parent = { id: snapshotAt(n), sha256 };
    }
    const { cycle } = aCleaner(vault, "last=1");
    for (const hours of [0, 24]) await cycle(hours);

    expect((await nameSnapshots(vault, aKey)).manifests).toEqual([1, 3].map(snapshotAt));
  });

  test("keeps snapshots whose time is still to come, and measures no period by them", async () => {
    const vault = memoryBlobs();
    const idAt = (day: number) => runId(new Date(START_MS + day * 24 * HOUR_MS), "00000000");
    const days = [0, 1, 2, 3, 30, 30.1];
    for (const day of days) await writeManifest(vault, aManifest({ id: idAt(day), base: true, parent: null }));
    const { cycle } = aCleaner(vault, "daily=2,within=1d");

    expect(await cycle(3 * 24)).toMatchObject({ kept: 4, going: 2 });
    await cycle(4 * 24);
    expect((await nameSnapshots(vault, aKey)).manifests).toEqual([2, 3, 30, 30.1].map(idAt));
    // When their time has come, they are as any others.
    expect(await cycle(31 * 24)).toMatchObject({ kept: 3, going: 1 });
  });

  test("keeps snapshots that a job works with, and the blobs that they need", async () => {
    const vault = await aVault(6);
    const { cycle } = aCleaner(vault);
    await cycle(0);

    expect(await cycle(24, { inUse: async () => (_, id) => id === snapshotAt(2) })).toMatchObject({ kept: 3 });
    expect((await nameSnapshots(vault, aKey)).manifests).toEqual([2, 4, 5].map(snapshotAt));
    expect(await liveIn(vault, 2)).toEqual(["1", "2"]);
  });

  test("removes nothing on hold, and begins the grace period anew after the hold", async () => {
    const vault = await aVault(6);
    const { cycle } = aCleaner(vault);
    const before = vault.blobs.size;
    await cycle(0);
    const until = new Date(START_MS + 30 * HOUR_MS).toISOString();
    const hold = { since: "2026-11-23T01:00:00Z", reason: "legal", until };
    await moveHead(vault, aKey, (head) => ({ ...(head ?? expect.fail("there is no head")), hold }));

    expect(await cycle(25)).toMatchObject({ outcome: "held", removed: 0 });
    expect(await cycle(31)).toMatchObject({ outcome: "done", removed: 0, waiting: 12 });
    expect(vault.blobs.size).toBeGreaterThan(before);
    expect(await cycle(55)).toMatchObject({ outcome: "done", removed: 12 });
  });

  test("stops when a hold is set while it removes", async () => {
    const vault = await aVault(6);
    const { state, cycle } = aCleaner(vault);
    await cycle(0);
    const holding: Blobs = {
      ...vault,
      remove: async (name) => {
        const hold = { since: "2026-11-24T00:00:00Z", reason: "legal" };
        await moveHead(vault, aKey, (head) => ({ ...(head ?? expect.fail("there is no head")), hold }));
        return vault.remove(name);
      },
    };

    expect(await aCleaner(holding, "last=2", state).cycle(24)).toMatchObject({ removed: 1, waiting: 11 });
    expect(namesIn(vault, "packs")).toHaveLength(6);
  });

  /** The blobs of a run without a manifest, as the storage dates them. */
  const aRunUnderWay = async (
    vault: ReturnType<typeof memoryBlobs>,
    startMs: number,
    modified = new Date(START_MS),
  ) => {
    const run = runId(new Date(startMs), "00000000");
    const names = [packName(aKey, run, 0, 0), partName(aKey, run, "folders")];
    for (const name of names) {
      await vault.create(name, Buffer.from("x"));
      (vault.blobs.get(name) ?? expect.fail(name)).modified = modified;
    }
    return names;
  };
  const isRunning = async () => true;

  test("leaves the blobs of runs newer than the newest snapshot until those are abandoned", async () => {
    const vault = await aVault(2);
    await aRunUnderWay(vault, START_MS);
    const { cycle } = aCleaner(vault);

    expect(await cycle(13 * 24)).toMatchObject({ waiting: 0 });
    expect(await cycle(15 * 24, { isRunning })).toMatchObject({ waiting: 0 });
    expect(await cycle(15 * 24)).toMatchObject({ waiting: 2 });
    expect(await cycle(16 * 24, { isRunning })).toMatchObject({ waiting: 0, removed: 0 });
    expect(await cycle(17 * 24)).toMatchObject({ waiting: 2, removed: 0 });
    expect(await cycle(18 * 24)).toMatchObject({ waiting: 0, removed: 2 });
  });

  test.each([
    ["a year before the snapshots", -365],
    ["a month ahead", 30],
  ])("takes nothing of a live run whose clock was %s", async (_, days) => {
    const vault = await aVault(6);
    const names = await aRunUnderWay(vault, START_MS + days * 24 * HOUR_MS);
    const { state, cycle } = aCleaner(vault);
    for (const hours of [0, 25, 90 * 24]) await cycle(hours, { isRunning });

    expect([...vault.blobs.keys()]).toEqual(expect.arrayContaining(names));
    expect((await readCandidates(state, aKey)).candidates).toEqual(new Map());
    // What no snapshot needs of the others was removed meanwhile.
    expect(namesIn(vault, "snapshots")).toHaveLength(3);
  });

  test("goes by the storage's clock for a run that has died, and not by the run's id", async () => {
    const vault = await aVault(2);
    const names = await aRunUnderWay(vault, START_MS + 300 * 24 * HOUR_MS);
    const { cycle } = aCleaner(vault);

    for (const days of [0, 1, 13]) expect(await cycle(days * 24)).toMatchObject({ waiting: 0 });
    for (const days of [15, 16]) await cycle(days * 24);
    expect([...vault.blobs.keys()]).not.toEqual(expect.arrayContaining(names));
  });

  test("what waits to be removed waits on while a run is alive that may have taken it over", async () => {
    const vault = await aVault(2);
    const names = await aRunUnderWay(vault, START_MS - 365 * 24 * HOUR_MS);
    const { cycle } = aCleaner(vault);
    expect(await cycle(0)).toMatchObject({ waiting: 2 });

    expect(await cycle(25, { isRunning })).toMatchObject({ waiting: 2, removed: 0 });
    expect([...vault.blobs.keys()]).toEqual(expect.arrayContaining(names));
    expect(await cycle(26)).toMatchObject({ removed: 2 });
  });

  test("removes what earlier runs left behind, and touches no blob that is not the vault's", async () => {
    const vault = await aVault(2);
    const orphan = packName(aKey, snapshotAt(0), 7, 7);
    const others = [`${aKey}/packs/readme.txt`, `${aKey}/snapshots/x.base.json`, `${"b".repeat(26)}/head.json`];
    for (const name of [orphan, ...others]) await vault.create(name, Buffer.from("x"));
    const { cycle } = aCleaner(vault);
    await cycle(0);

    expect(await cycle(24)).toMatchObject({ removed: 1, removedBytes: 1 });
    expect([...vault.blobs.keys()]).toEqual(expect.arrayContaining(others));
    expect(vault.blobs.has(orphan)).toBe(false);
  });

  test.each(["snapshots", "catalog", "packs"])(
    "leaves and reports %s that the container refuses to remove",
    async (kind) => {
      const vault = await aVault(6);
      const { state, cycle } = aCleaner(vault);
      await cycle(0);
      const before = await Promise.all([2, 3].map((n) => liveIn(vault, n)));
      const writeOnce: Blobs = {
        ...vault,
        remove: async (name) =>
          name.includes(`/${kind}/${snapshotAt(2)}`) || name.includes(`/${kind}/${snapshotAt(3)}`)
            ? "refused"
            : vault.remove(name),
      };

      const refused = await aCleaner(writeOnce, "last=2", state).cycle(24);
      expect(refused.outcome).toBe("done");
      expect(refused.refused).toBeGreaterThan(0);
      for (const id of (await nameSnapshots(vault, aKey)).manifests)
        expect((await all(foldSnapshot(vault, aKey, id))).every(({ pack }) => vault.blobs.has(pack))).toBe(true);
      if (kind === "snapshots") expect(await Promise.all([2, 3].map((n) => liveIn(vault, n)))).toEqual(before);
    },
  );

  test.each([
    ["manifest", 4, (vault: Blobs) => vault.remove(manifestName(aKey, snapshotAt(4)))],
    ["part", 4, (vault: Blobs) => vault.remove(partName(aKey, snapshotAt(4), "p0"))],
    ["base", 5, (vault: Blobs) => vault.create(baseName(aKey, snapshotAt(5)), Buffer.from("{}"))],
  ])("removes nothing while a needed %s is damaged, and names it", async (_, n, damage) => {
    const vault = await aVault(6);
    await damage(vault);
    const { cycle } = aCleaner(vault, "last=3");

    for (const hours of [0, 25]) expect(await cycle(hours)).toMatchObject({ outcome: "damaged", removed: 0 });
    expect((await cycle(50)).damaged).toContain(snapshotAt(n));
    expect(namesIn(vault, "packs")).toHaveLength(6);
  });

  test("may end at any removal: no remaining snapshot misses a pack", async () => {
    for (let most = 0; most < 12; most += 1) {
      const vault = await aVault(6);
      const { state, cycle } = aCleaner(vault);
      await cycle(0);
      let removals = 0;
      const killed: Blobs = {
        ...vault,
        remove: async (name) => {
          if (removals === most) throw new Error("killed");
          removals += 1;
          return vault.remove(name);
        },
      };
      await expect(aCleaner(killed, "last=2", state).cycle(24)).rejects.toThrow("killed");

      for (const id of (await nameSnapshots(vault, aKey)).manifests)
        expect((await all(foldSnapshot(vault, aKey, id))).every(({ pack }) => vault.blobs.has(pack))).toBe(true);
      await cycle(24);
      expect(namesIn(vault, "packs")).toEqual([3, 4, 5].map(packOf));
    }
  });

  test("lists no candidates before all needed blobs are known", async () => {
    const vault = await aVault(6);
    const { state, cycle } = aCleaner(vault, "last=9");

    expect(await cycle(0, { isLate: () => true })).toMatchObject({ outcome: "more", waiting: 0 });
    expect([...state.blobs.keys()].filter((name) => name.startsWith("removals/"))).toEqual([]);
  });

  test("goes on where its time was up", async () => {
    const vault = await aVault(8);
    const { cycle } = aCleaner(vault);
    let calls = 0;
    for (const hours of [0, 24]) {
      for (let outcome = "more"; outcome === "more"; calls += 1) {
        expect(calls).toBeLessThan(20);
        ({ outcome } = await cycle(hours, { isLate: () => true }));
      }
    }

    expect(calls).toBeGreaterThan(4);
    expect((await nameSnapshots(vault, aKey)).manifests).toEqual([6, 7].map(snapshotAt));
    expect(namesIn(vault, "packs")).toEqual([5, 6, 7].map(packOf));
  });

  test("reads each part once, however often it runs", async () => {
    const vault = await aVault(6);
    const reads: string[] = [];
    const counted: Blobs = {
      ...vault,
      readWhole: (name) => {
        reads.push(name);
        return vault.readWhole(name);
      },
    };
    const { cycle } = aCleaner(counted, "last=9");
    await cycle(0);
    expect(reads.filter((name) => name.includes("/catalog/"))).toHaveLength(7);
    await cycle(1);
    expect(reads.filter((name) => name.includes("/catalog/"))).toHaveLength(7);
  });
});
