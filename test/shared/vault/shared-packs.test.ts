import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { collect } from "../../../shared/storage/blobs.ts";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { type Finding, findingList } from "../../../shared/vault/finding.ts";
import { manifestName, packName, partName, RECORDS_CHUNK } from "../../../shared/vault/names.ts";
import { readItem, readPackIndex } from "../../../shared/vault/pack-reader.ts";
import { openPack } from "../../../shared/vault/pack-writer.ts";
import type { CatalogueRecord, PutRecord, StoredItem } from "../../../shared/vault/records.ts";
import { keptSnapshots, verifyMailbox } from "../../../shared/vault/verify-mailbox.ts";
import { verifyPack } from "../../../shared/vault/verify-pack.ts";
import { type SnapshotPosition, verifySnapshot } from "../../../shared/vault/verify-snapshot.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { type SoundVault, soundKey, writePack, writeRecords, writeSnapshots } from "./a-sound-vault.ts";
import { anItem, aPack, aPut, aStoredItem, inChunks, snapshotAt } from "./samples.ts";

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a pack of which some items are stored elsewhere", () => {
  test("has the others, whole, and refers to these, in blocks and buffers of any size", async () => {
    const items = fc.array(fc.tuple(anItem, fc.boolean()), { maxLength: 8 });
    const elsewhere = packName(soundKey, snapshotAt(0), 0, 0);
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 3_000 }), async (some, blockBytes) => {
        const vault = memoryBlobs();
        const stored = new Set(some.flatMap(([bytes, isStored]) => (isStored ? [hashOf(bytes)] : [])));
        const findStored = async (bytes: Pick<StoredItem, "rawBytes" | "sha256">) =>
          stored.has(bytes.sha256) ? aStoredItem({ ...bytes, pack: elsewhere }) : undefined;
        const pack = openPack(vault, aPack, { bufferBytes: 512, blockBytes, findStored });
        const records: PutRecord[] = [];
        for (const [n, [bytes]] of some.entries())
          records.push(aPut({ id: `item ${n}`, ...(await pack.addItem(inChunks(bytes))) }));
        await pack.close(records);

        const list = findingList();
        await verifyPack(vault, aPack, records, list.report);
        expect(list.findings).toEqual([]);
        expect(await readPackIndex(vault, aPack)).toEqual(records);
        for (const [n, record] of records.entries()) {
          const bytes = some[n]?.[0] ?? new Uint8Array();
          if (stored.has(hashOf(bytes))) expect(record).toMatchObject({ pack: elsewhere, recordedIn: aPack });
          else expect(await collect(readItem(vault, record))).toEqual(Buffer.from(bytes));
        }
        const room = records.reduce((sum, { pack, storedBytes }) => sum + (pack === aPack ? storedBytes : 0), 0);
        const size = vault.blobs.get(aPack)?.body.length ?? 0;
        expect(size).toBeLessThan(room + 2_000 * (records.length + 1));
      }),
      { numRuns: 100 },
    );
  });
});

describe("a vault in which items were moved", () => {
  const letters = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => Buffer.from(`letter ${from + n} `.repeat(60)));

  /**
   * Two snapshots. In the second one, the items of two packs have new records, which refer to these packs, beside what
   * is new. The items of one stay under their old ids too.
   */
  const aVault = async () => {
    const vault = memoryBlobs();
    const first = await writePack(vault, { run: 0, items: letters(0, 3) });
    const others = await writePack(vault, { run: 0, chunk: 1, items: letters(3, 6) });
    const known = new Map([...first, ...others].map((record) => [record.sha256, record]));
    const findStored = async ({ sha256 }: Pick<StoredItem, "sha256">) => {
      const record = known.get(sha256);
      if (record === undefined) return undefined;
      const { pack, offset, storedBytes, method, rawBytes } = record;
      return { pack, offset, storedBytes, method, rawBytes, sha256 };
    };
    const mixed = await writePack(vault, { run: 1, items: letters(2, 8), findStored });
    const referring = await writePack(vault, { run: 1, chunk: 1, items: letters(0, 2), findStored });
    const removals = first.map(
      ({ id, folderId }): CatalogueRecord => ({ v: 1, op: "remove", id, folderId, reason: "deleted" }),
    );
    await writeRecords(vault, 1, removals);
    await writeSnapshots(vault, [
      { run: 0, parts: [first, others] },
      { run: 1, parts: [mixed, referring, removals] },
    ]);
    return vault;
  };
  const forgetFirst = async (vault: SoundVault, partRecords: number): Promise<void> => {
    await compactSnapshot(vault, soundKey, snapshotAt(1), partRecords);
    await vault.remove(manifestName(soundKey, snapshotAt(0)));
    for (const part of ["p0", "p1"]) await vault.remove(partName(soundKey, snapshotAt(0), part));
  };
  const packAt = (run: number, chunk: number) => packName(soundKey, snapshotAt(run), chunk, 0);
  const damage = (vault: SoundVault, pack: string, at = 60) => {
    const body = vault.blobs.get(pack)?.body ?? expect.fail(`no ${pack}`);
    body[at] = (body[at] ?? 0) ^ 1;
  };
  /** What is found with each snapshot; a look ends after each group of packs. */
  const found = async (vault: SoundVault) => {
    const findings: [string, Finding][] = [];
    const packs: string[] = [];
    const counted = {
      ...vault,
      read: (...args: Parameters<SoundVault["read"]>) => {
        if (args[1] === undefined) packs.push(args[0]);
        return vault.read(...args);
      },
    };
    for (const snapshot of await keptSnapshots(vault, soundKey))
      for (let from: SnapshotPosition | undefined = { part: 0, pack: 0 }; from !== undefined; ) {
        const report = (finding: Finding) => findings.push([snapshot.id, finding]);
        ({ next: from } = await verifySnapshot(counted, snapshot, { from, mayGoOn: () => false, report }));
      }
    return { findings, packs: packs.filter((name) => name.endsWith(".zip")).toSorted() };
  };
  const allPacks = [packAt(0, 0), packAt(0, 1), packAt(1, 0), packAt(1, 1), packAt(1, RECORDS_CHUNK)];

  test("is sound, and each pack is read once, while all snapshots are kept", async () => {
    const vault = await aVault();

    expect(await found(vault)).toEqual({ findings: [], packs: allPacks });
    const list = findingList();
    expect(await verifyMailbox(vault, soundKey, list.report)).toMatchObject({ snapshots: 2, packs: 5, items: 8 });
  });

  test.each([1, 2, 5, 100])("is so after the older one is forgotten, with parts of %s records", async (partRecords) => {
    const vault = await aVault();
    await forgetFirst(vault, partRecords);

    const { findings, packs } = await found(vault);

    expect(findings).toEqual([]);
    // The records of a pack's own run may lie on both sides of the end of a part: it is then read with both.
    expect([...new Set(packs)]).toEqual(allPacks);
    expect(packs.filter((name) => name === packAt(0, 0))).toHaveLength(1);
    if (partRecords === 100) expect(packs).toEqual(allPacks);
  });

  test("has one finding for damage of what is shared, with the snapshot that stored it", async () => {
    const vault = await aVault();
    damage(vault, packAt(0, 0));

    const { findings } = await found(vault);

    expect(findings).toEqual([[snapshotAt(0), expect.objectContaining({ blob: packAt(0, 0), item: "item 0/0/0" })]]);
  });

  test("has it with the snapshot after it once that is forgotten, under the item that is left", async () => {
    const vault = await aVault();
    await forgetFirst(vault, 100);
    damage(vault, packAt(0, 0));

    const { findings } = await found(vault);

    expect(findings).toEqual([[snapshotAt(1), expect.objectContaining({ blob: packAt(0, 0), item: "item 1/1/0" })]]);
  });

  test("has a finding for a lost pack that holds nothing but records", async () => {
    const vault = await aVault();
    await vault.remove(packAt(1, 1));

    expect((await found(vault)).findings).toEqual([
      [snapshotAt(1), { blob: packAt(1, 1), problem: "is missing, with what a rebuild needs to know of moved items" }],
    ]);
  });

  test.each<[string, Partial<PutRecord>]>([
    ["offset", { offset: 36 }],
    ["hash", { sha256: "0".repeat(64) }],
    ["subject", { subject: "another" }],
    ["index", { recordedIn: packAt(0, 1) }],
  ])("has a finding where a record that refers has another %s", async (_, change) => {
    const vault = memoryBlobs();
    const stored = await writePack(vault, { run: 0, items: letters(0, 2) });
    const findStored = async () => aStoredItem(stored[1]);
    await writePack(vault, { run: 0, chunk: 1, items: letters(4, 5) });
    const [record = expect.fail()] = await writePack(vault, { run: 1, items: letters(1, 2), findStored });
    await writeSnapshots(vault, [{ run: 1, parts: [[{ ...record, ...change }]] }]);

    expect((await found(vault)).findings.length).toBeGreaterThan(0);
  });
});
