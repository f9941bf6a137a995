import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldedCatalogue } from "../../../functions/backup/folded-catalogue.ts";
import { catalogueOf } from "../../../functions/backup/plan/catalogue.ts";
import { folderScope } from "../../../functions/backup/plan/folder-scope.ts";
import type { RunFolder } from "../../../functions/backup/run-state.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { packName } from "../../../shared/vault/names.ts";
import { readHead, readManifest } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, all, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { writeHistory } from "./../browse/a-vault.ts";
import { aMailboxInGraph, aRun } from "../kit.ts";

const aFolder = (id: string, itemCount: number): RunFolder => ({
  ...{ id, displayName: id, path: id, type: "IPF.Note", itemCount, isCounted: true },
  ...{ known: true, retry: [], lost: [] },
});

const aMailbox = async () => {
  const kit = await aMailboxInGraph({ items: 120, layout: "typical", userFolders: 6 });
  const { admin, emulator, mailbox, vault, work } = kit;
  await admin.settings({ behaviours: { maxPageSize: 10 } });
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work };
  /** One run, and how often it read each part with items of snapshots before it. */
  const night = async (options: Parameters<typeof runBackup>[2] = {}) => {
    const reads = new Map<string, number>();
    const { readWhole } = vault;
    vault.readWhole = (name) => {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return readWhole(name);
    };
    const run = await runBackup(place, mailbox, options);
    vault.readWhole = readWhole;
    const ofItems = new Map<string, number>();
    for (const [name, count] of reads)
      if (/catalog.*\/w\d/.test(name) && !name.includes(run.runId)) ofItems.set(name, count);
    return { ...run, read: ofItems };
  };
  /** What the newest snapshot holds, counted by a whole fold. */
  const counted = async () => {
    const newest = (await readHead(vault, mailbox.key))?.newest?.id ?? "";
    const live = await all(foldSnapshot(vault, mailbox.key, newest));
    return { items: live.length, bytes: live.reduce((sum, { rawBytes }) => sum + rawBytes, 0) };
  };
  const act = { mailbox: mailbox.id, folder: "inbox" };
  return { ...kit, act, night, counted };
};

describe("the catalogue of the snapshot before", () => {
  test("is read once by a run that lists every folder in many waves", async () => {
    const { admin, act, night } = await aMailbox();
    await night();
    for (const folder of ["inbox", "drafts", "archive", "sentitems"])
      await admin["create-items"]({ ...act, folder, count: 2 });

    const full = await night({ full: true, waveMs: 1 });

    expect(full.totals.exported).toBe(8);
    expect([...full.read.values()].every((reads) => reads === 1)).toBe(true);
    expect(full.read.size).toBeGreaterThan(0);
  });

  test("is not read by a run that finds no change", async () => {
    const { night } = await aMailbox();
    await night();

    expect((await night()).read.size).toBe(0);
  });

  test("is added up with what the run did, as a whole fold counts it", async () => {
    const { admin, act, items, night, counted, vault, mailbox } = await aMailbox();
    const expectCounted = async ({ items: live, bytes }: { items: number; bytes: number }) => {
      expect({ items: live, bytes }).toEqual(await counted());
      expect((await readHead(vault, mailbox.key))?.newest).toMatchObject({ items: live, bytes });
    };
    await expectCounted(await night({ waveMs: 1 }));

    const [changed, moved, removed] = await items();
    await admin["change-item"]({ mailbox: act.mailbox, item: changed?.id ?? "", bytes: 4_000 });
    await admin["move-item"]({ mailbox: act.mailbox, item: moved?.id ?? "", folder: "archive" });
    await admin["remove-item"]({ mailbox: act.mailbox, item: removed?.id ?? "" });
    await expectCounted(await night());

    await admin["remove-folder"]({ ...act, folder: "user-1" });
    await admin["create-items"]({ ...act, folder: "drafts", count: 3 });
    await expectCounted(await night({ waveMs: 1 }));
    await expectCounted(await night({ folderScope: folderScope(["drafts"]) }));
    const again = await night({ full: true });
    await expectCounted(again);
    expect((await readManifest(vault, mailbox.key, again.snapshotId))?.manifest.counts.put).toBeGreaterThan(0);
  });
});

describe("catalogueOf", () => {
  test("knows every item and its version, in buckets of any size, and so in another process", async () => {
    const item = fc.record({
      ...{ id: fc.constantFrom("1", "2", "3", "4"), folderId: fc.constantFrom("a", "b", "c", "gone") },
      changeKey: fc.constantFrom("x", "y"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(item, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.record({ bucketItems: fc.constantFrom(1, 5, 100), waitingChars: fc.constantFrom(1, 60, 100_000) }),
        async (history, sizes) => {
          const vault = memoryBlobs();
          await writeHistory(
            vault,
            history.map((puts, n) => [puts.map((put) => aPut({ ...put, pack: packName(aKey, snapshotAt(n), 0, 0) }))]),
          );
          const newest = snapshotAt(history.length - 1);
          const folders = ["a", "b", "c"].map((id) => aFolder(id, 4));
          const work = memoryBlobs();
          const live = await all(foldSnapshot(vault, aKey, newest));
          for (const blobs of [vault, memoryBlobs()]) {
            const deps = { vault: blobs, work };
            const folded = foldedCatalogue(deps, { key: aKey, runId: aRun, folders }, newest, sizes);
            const catalogue = catalogueOf(folded);
            for (const folderId of ["a", "b", "c"]) {
              const ids = live.filter((each) => each.folderId === folderId).map(({ id }) => id);
              expect(await all(catalogue.idsIn(folderId))).toEqual(ids);
              for (const id of ["1", "2", "3", "4"]) {
                expect(await catalogue.has({ id, folderId })).toBe(ids.includes(id));
                const versions = live.filter((each) => each.folderId === folderId && each.id === id);
                for (const changeKey of ["x", "y"])
                  expect(await catalogue.holds({ id, folderId, changeKey })).toBe(versions[0]?.changeKey === changeKey);
              }
            }
            const hashes = (await all(folded.hashesByPack())).flatMap(([pack, of]) =>
              of.map((hash) => `${pack} ${hash}`),
            );
            expect(hashes.toSorted()).toEqual(
              live.map(({ pack, sha256 }) => `${pack} ${sha256.slice(0, 8)}`).toSorted(),
            );
            const contents = [...(await folded.contents()).values()];
            expect(contents.reduce((sum, { items }) => sum + items, 0)).toBe(live.length);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
