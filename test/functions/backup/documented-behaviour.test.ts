import { describe, expect, test } from "vitest";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import { all } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { quickWaits } from "../../support/quick-waits.ts";
import { aMailboxInGraph, aRun } from "../kit.ts";
import { anOpenedRun } from "./export/an-opened-run.ts";

type Kit = Awaited<ReturnType<typeof aMailboxInGraph>>;

const backUp = ({ emulator, mailbox, vault, work }: Kit, options: Parameters<typeof runBackup>[2] = {}) =>
  runBackup({ graphUrl: emulator.graphUrl, token: "emulator-token", vault, work }, mailbox, options);

const stored = async ({ vault, mailbox }: Kit, snapshotId: string) => all(foldSnapshot(vault, mailbox.key, snapshotId));

const everyItem = async ({ admin, mailbox }: Kit) => all(await admin.items({ mailbox: mailbox.id }));

const hashes = (items: readonly { sha256: string }[]): string[] => items.map(({ sha256 }) => sha256).toSorted();

const exportsAsked = async ({ admin }: Kit): Promise<number> =>
  (await admin.counters({})).requests["export-items"] ?? 0;

describe("exportItems", () => {
  test("is asked for at most 20 ids of one mailbox in a request, also when they lie in different folders", async () => {
    const kit = await aMailboxInGraph({ items: 60, layout: "typical" });

    const { snapshotId } = await backUp(kit);

    const { requests, itemsExported } = await kit.admin.counters({});
    expect({ asked: requests["export-items"], items: itemsExported }).toEqual({ asked: 3, items: 60 });
    expect(hashes(await stored(kit, snapshotId))).toEqual(hashes(await everyItem(kit)));
  });

  test("returns streams that are stored unchanged, with the header of the documented samples", async () => {
    const kit = await aMailboxInGraph({ items: 3 });

    const { snapshotId } = await backUp(kit);

    const header = "010000000800000000000000010000000300000018000000";
    for (const record of await stored(kit, snapshotId)) {
      const stream = Buffer.concat(await all(readItem(kit.vault, record)));
      expect(stream.toString("hex", 0, 24)).toBe(header);
      expect(stream.length).toBe(record.rawBytes);
    }
    expect(hashes(await stored(kit, snapshotId))).toEqual(hashes(await kit.items()));
  });

  test("returns data that is stored though it is forty times larger than `size` announced", async () => {
    const kit = await aMailboxInGraph({ items: 3, bytes: { fixed: 3_800_000 } });
    await kit.admin.settings({ behaviours: { sizeFactor: { min: 40, max: 40 } } });

    const { snapshotId } = await backUp(kit);

    const records = await stored(kit, snapshotId);
    expect(records.map(({ rawBytes, sizeBytes }) => Math.round(rawBytes / (sizeBytes ?? 0)))).toEqual([40, 40, 40]);
    expect(hashes(records)).toEqual(hashes(await kit.items()));
  });

  test("returns another changeKey for an imported item than the import: the two are never compared", async () => {
    const kit = await aMailboxInGraph({ items: 2 });
    await backUp(kit);
    const [item] = await kit.items();
    const body = { FolderId: await kit.folderId(), Mode: "create", Data: await kit.exportOne(item?.id ?? "") };
    const imported = (await kit.ask(await kit.importUrl(), { token: "", body })).body;

    const second = await backUp(kit);
    const third = await backUp(kit, { full: true });

    const record = (await stored(kit, second.snapshotId)).find(({ id }) => id === imported["itemId"]);
    const lengths = [imported["changeKey"], record?.changeKey].map((key) => Buffer.from(String(key), "base64").length);
    expect(lengths).toEqual([22, 30]);
    expect(second.totals.exported).toBe(1);
    expect(third).toMatchObject({ quiet: true, totals: { exported: 0 } });
  });

  test.each([500, 502, 503, 504])("is asked again after %i, with or without a body", async (status) => {
    for (const emptyBody of [true, false]) {
      const kit = await aMailboxInGraph({ items: 20 });
      await kit.fault({ kind: "status", endpoint: "export-items", status, emptyBody, retryAfter: 0, count: 2 });

      expect(await backUp(kit)).toMatchObject({ state: "complete", items: 20 });
      expect(await exportsAsked(kit)).toBe(3);
    }
  });

  test("is asked again after a connection that was reset before the answer", async () => {
    const kit = await aMailboxInGraph({ items: 20 });
    await kit.fault({ kind: "reset", endpoint: "export-items", when: "before", count: 1 });

    expect(await backUp(kit)).toMatchObject({ state: "complete", items: 20 });
  });
});

describe("an item that changed between its listing and its export", () => {
  test("is stored under the changeKey that the export says, and not exported again", async () => {
    const kit = await anOpenedRun({ items: 20 });
    const [item] = await kit.items();
    const planned = await kit.plannedWave();
    await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: item?.id ?? "", bytes: 900 });

    await kit.commit([planned, await kit.wave({ wave: 1, position: planned.position })]);
    const next = await backUp(kit);

    expect(hashes(await stored(kit, aRun))).toEqual(hashes(await kit.items()));
    expect(next).toMatchObject({ quiet: true, totals: { exported: 0 } });
  });
});

describe("a read of the mailbox", () => {
  test.each(["folders", "folders-delta", "items", "items-delta"])(
    "by %s is tried again after a 503 without a body",
    async (endpoint) => {
      const kit = await aMailboxInGraph({ items: 5 });
      await kit.fault({ kind: "status", endpoint, status: 503, emptyBody: true, retryAfter: 0, count: 2 });

      expect(await backUp(kit)).toMatchObject({ state: "complete", items: 5 });
    },
  );
});

describe("429 ApplicationThrottled, over its MailboxConcurrency limit", () => {
  test.each(["seconds", "http-date", "absent"] as const)(
    "is outlasted by a wave that another program's requests crowd out (Retry-After: %s)",
    async (retryAfter) => {
      const { admin, wave, mailbox } = await anOpenedRun({ items: 40 });
      await admin.settings({ latencyMs: 30, limits: { maxConcurrent: 1, retryAfter } });
      quickWaits(async () => ((await admin.counters({})).mailboxes[mailbox.id]?.inFlight ?? 0) > 0);

      const done = await wave();

      expect(done).toMatchObject({ exported: 40, waitMs: 0, position: { planned: true, again: [] } });
      expect(done.throttled).toBeGreaterThan(0);
    },
  );
});
