import { describe, expect, test } from "vitest";
import { exportBatch } from "../../../functions/backup/export/export-batch.ts";
import { eachItem } from "../../../shared/graph/items.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { openPack } from "../../../shared/vault/pack-writer.ts";
import { readHead } from "../../../shared/vault/snapshots.ts";
import { all, aPack } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { anExpandedArchive, archiveOf } from "../an-archive.ts";
import { aMailboxInGraph } from "../kit.ts";

const anArchive = async () => {
  const kit = await aMailboxInGraph({ items: 1, archive: anExpandedArchive });
  const archive = await archiveOf(kit);
  const folders = await kit.admin.folders({ mailbox: archive.id });
  const expanded = folders.find(({ key }) => key === "user-0")?.id ?? "";
  return { ...kit, archive, expanded };
};

describe("the backup of an archive", () => {
  test("stores every item byte by byte, also those in the auxiliary archive, and goes on from there", async () => {
    const { admin, archive, emulator, expanded, vault, work } = await anArchive();
    const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work };
    const stored = async (snapshotId: string) =>
      (await all(foldSnapshot(vault, archive.key, snapshotId))).map(({ sha256 }) => sha256).toSorted();
    const held = async () =>
      (await all(await admin.items({ mailbox: archive.id }))).map(({ sha256 }) => sha256).toSorted();

    const first = await runBackup(place, archive);
    expect(first).toMatchObject({ state: "complete", items: 60, totals: { exported: 60, failed: 0, skipped: 0 } });
    expect(await stored(first.snapshotId)).toEqual(await held());
    expect(await readHead(vault, archive.key)).toMatchObject({ kind: "archive", mailboxId: archive.id });

    await admin["create-items"]({ mailbox: archive.id, folder: expanded, count: 2 });
    const second = await runBackup(place, archive);
    expect(second).toMatchObject({ totals: { exported: 2, failed: 0 } });
    expect(await stored(second.snapshotId)).toEqual(await held());
  });
});

describe("exportBatch of items that have moved", () => {
  const aBatch = async () => {
    const kit = await anArchive();
    const graph = kit.openGraph({ untilMs: Date.now() + 600_000 });
    const items = (await all(eachItem(graph, kit.archive, kit.expanded))).slice(0, 2);
    await kit.admin["reset-counters"]({});
    const run = () => exportBatch(graph, kit.archive, items, openPack(kit.vault, aPack));
    const exports = async () => (await kit.admin.counters({})).requests["export-items"];
    const moved = (message: string) =>
      kit.fault({
        kind: "export-item",
        outcome: "error",
        code: "ErrorArchiveFolderMovedPermanently",
        message,
        itemIds: items.slice(0, 1).map(({ id }) => id),
      });
    return { ...kit, run, exports, moved };
  };

  test("asks again at the place that Graph names, with one more request", async () => {
    const { run, exports } = await aBatch();

    expect((await run()).map(({ op }) => op)).toEqual(["put", "put"]);
    expect(await exports()).toBe(2);
  });

  test("fails an item whose new place is not at this endpoint, and sends nothing there", async () => {
    const { run, moved } = await aBatch();
    await moved("https://evil.example/beta/admin/exchange/mailboxes/MBX:1@2/exportItems");

    const records = await run();

    expect(records.map((record) => ("code" in record ? `${record.op} ${record.code}` : record.op)).toSorted()).toEqual([
      "fail ErrorArchiveFolderMovedPermanently",
      "put",
    ]);
  });

  test("fails an item that keeps moving", async () => {
    const { run, exports, moved, archive, emulator } = await aBatch();
    await moved(`${emulator.graphUrl}/beta/admin/exchange/mailboxes/${archive.id}/exportItems`);

    const records = await run();

    expect(records.filter(({ op }) => op === "fail")).toHaveLength(1);
    // Three moves, with the other item's one move beside the first, and all of that again for the item alone.
    expect(await exports()).toBe(9);
  });
});
