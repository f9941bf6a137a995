import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseBytes, readBase } from "../../../shared/vault/base.ts";
import { compactSnapshot, isCompactionDue } from "../../../shared/vault/compact.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { baseName, manifestName } from "../../../shared/vault/names.ts";
import { readPart } from "../../../shared/vault/part-reader.ts";
import { indexSnapshot } from "../../../shared/vault/snapshot-index.ts";
import { nameSnapshots, readManifest, walkToBase } from "../../../shared/vault/snapshots.ts";
import { aFolder, aProblem, type History, writeHistory } from "../../functions/browse/a-vault.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { aKey, all, aPut, snapshotAt } from "./samples.ts";

const put = (id: string, changeKey = "1") => aPut({ id, changeKey });
const gone = (id: string) => ({ v: 1, op: "remove", id, folderId: aPut().folderId, reason: "deleted" }) as const;

const aVault = async (history: History) => {
  const vault = memoryBlobs();
  await writeHistory(vault, history);
  return vault;
};

const odd = { v: 1, op: "problem", what: "the folder has no name", folderId: "inbox" } as const;

const HISTORY: History = [
  [[put("a"), put("b"), put("c")]],
  [[put("a", "2"), gone("b")], [put("d")]],
  [[put("c", "2"), aProblem("skip", { id: "e" }), aProblem("fail", { id: "f" }), odd]],
  [[put("g"), gone("d")]],
];

describe("a base beside a snapshot", () => {
  test("lets the snapshot, and those after it, be read as before, in the same order", async () => {
    const vault = await aVault(HISTORY);
    const before = await Promise.all([2, 3].map((n) => all(foldSnapshot(vault, aKey, snapshotAt(n)))));

    expect(await compactSnapshot(vault, aKey, snapshotAt(2), 2)).toEqual({ outcome: "created", records: 7 });

    expect(await Promise.all([2, 3].map((n) => all(foldSnapshot(vault, aKey, snapshotAt(n)))))).toEqual(before);
    expect((await all(walkToBase(vault, aKey, snapshotAt(3)))).map(({ manifest }) => manifest.id)).toEqual(
      [3, 2].map(snapshotAt),
    );
  });

  test("needs no older snapshot, and has the problems of its snapshot", async () => {
    const vault = await aVault(HISTORY);
    await compactSnapshot(vault, aKey, snapshotAt(2), 2);
    for (const name of [...vault.blobs.keys()])
      if ([0, 1].some((n) => name.includes(snapshotAt(n)))) await vault.remove(name);

    const { parts, contents } = await indexSnapshot(vault, aKey, snapshotAt(2));
    expect(Object.values(contents)).toEqual([{ items: 3, bytes: 30 }]);
    expect(parts.reduce((sum, { problems }) => sum + problems, 0)).toBe(3);
    const later = await indexSnapshot(vault, aKey, snapshotAt(3));
    expect(later.parts.reduce((sum, { problems }) => sum + problems, 0)).toBe(0);
  });

  test("holds the folders, the items that are live, and what was wrong", async () => {
    const vault = await aVault(HISTORY);
    await compactSnapshot(vault, aKey, snapshotAt(2), 2);

    const base = await readBase(vault, aKey, snapshotAt(2));
    const records = (await Promise.all((base?.parts ?? []).map((part) => all(readPart(vault, part))))).flat();
    expect(records.map((record) => `${record.op} ${"id" in record ? record.id : record.what}`)).toEqual([
      `folder ${aFolder().id}`,
      "put a",
      "put d",
      "put c",
      "skip e",
      "fail f",
      "problem the folder has no name",
    ]);
  });

  test("reads like its snapshot, for any history", async () => {
    const op = fc.constantFrom("put", "remove", "folder");
    const record = fc.record({ op, id: fc.constantFrom("a", "b", "c"), folderId: fc.constantFrom("x", "y") });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.array(record, { maxLength: 5 }), { maxLength: 2 }), { minLength: 2, maxLength: 4 }),
        fc.nat(3),
        async (drawn, at) => {
          let number = 0;
          const history = drawn.map((parts) =>
            parts.map((records) =>
              records.map(({ op, id, folderId }) => {
                number += 1;
                if (op === "put") return aPut({ id, folderId, changeKey: `${number}` });
                if (op === "remove") return { v: 1, op, id, folderId, reason: "deleted" } as const;
                return { v: 1, op: "folder", id: folderId, removed: true } as const;
              }),
            ),
          );
          const vault = await aVault(history);
          const folds = () => Promise.all(history.map((_, n) => all(foldSnapshot(vault, aKey, snapshotAt(n)))));
          const before = await folds();
          await compactSnapshot(vault, aKey, snapshotAt(at % history.length), 2);
          expect(await folds()).toEqual(before);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("is written once: another try keeps it and its parts", async () => {
    const vault = await aVault(HISTORY);
    await Promise.all([1, 2].map(() => compactSnapshot(vault, aKey, snapshotAt(2), 2)));
    const base = await readBase(vault, aKey, snapshotAt(2));

    expect((await compactSnapshot(vault, aKey, snapshotAt(2), 3)).outcome).toBe("exists");
    expect(await readBase(vault, aKey, snapshotAt(2))).toEqual(base);
    expect(await all(foldSnapshot(vault, aKey, snapshotAt(2)))).toHaveLength(3);
  });

  test("is not written for a snapshot that is a base itself", async () => {
    const vault = await aVault(HISTORY);

    expect((await compactSnapshot(vault, aKey, snapshotAt(0))).outcome).toBe("exists");
    expect((await nameSnapshots(vault, aKey)).bases).toEqual([]);
  });

  test("is canonical JSON that pins its manifest and its parts", async () => {
    const vault = await aVault(HISTORY);
    await compactSnapshot(vault, aKey, snapshotAt(2));
    const base = (await readBase(vault, aKey, snapshotAt(2))) ?? expect.fail("there is no base");
    const pinned = await readManifest(vault, aKey, snapshotAt(2));

    expect(vault.blobs.get(baseName(aKey, snapshotAt(2)))?.body).toEqual(baseBytes(base));
    expect(base.snapshot).toEqual({ id: snapshotAt(2), sha256: pinned?.sha256 });
  });

  test.each([
    [
      "another snapshot's",
      async (vault: ReturnType<typeof memoryBlobs>) => vault.blobs.get(baseName(aKey, snapshotAt(1)))?.body,
    ],
    ["no JSON", async () => Buffer.from("{")],
  ])("is refused when it is %s", async (_, forged) => {
    const vault = await aVault(HISTORY);
    await compactSnapshot(vault, aKey, snapshotAt(1));
    await vault.create(baseName(aKey, snapshotAt(2)), (await forged(vault)) ?? Buffer.of());

    await expect(all(walkToBase(vault, aKey, snapshotAt(2)))).rejects.toThrow(VaultDamageError);
  });

  test("is refused beside another manifest than its own", async () => {
    const vault = await aVault(HISTORY);
    await compactSnapshot(vault, aKey, snapshotAt(2));
    const other = await aVault([...HISTORY.slice(0, 2), [[put("forged")]]]);
    const name = manifestName(aKey, snapshotAt(2));
    await vault.remove(name);
    await vault.create(name, other.blobs.get(name)?.body ?? Buffer.of());

    await expect(all(walkToBase(vault, aKey, snapshotAt(2)))).rejects.toThrow("is the base of another manifest");
  });
});

describe("compaction", () => {
  const changes = (snapshots: number, records: number): History => [
    [[put("a"), put("b"), put("c")]],
    ...Array.from({ length: snapshots }, (_, n) => [Array.from({ length: records }, (_, m) => put("a", `${n}-${m}`))]),
  ];

  test.each([
    [6, 9, false],
    [7, 1, true],
    [7, 0, false],
    [101, 0, true],
  ])("after %i snapshots of %i records over 3 items is due: %s", async (snapshots, records, isDue) => {
    const vault = await aVault(changes(snapshots, records));

    expect(await isCompactionDue(vault, aKey, snapshotAt(snapshots), 3)).toBe(isDue);
  });

  test("is no longer due after it was done", async () => {
    const vault = await aVault(changes(8, 2));
    await compactSnapshot(vault, aKey, snapshotAt(7));

    expect(await isCompactionDue(vault, aKey, snapshotAt(8), 3)).toBe(false);
  });
});
