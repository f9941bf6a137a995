import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ledgerName } from "../../../../functions/restore/restore-state.ts";
import type { Ledger } from "../../../../functions/restore/upload/ledger.ts";
import { GraphError } from "../../../../shared/graph/graph-error.ts";
import { type ItemImporter, importer, type OpenImporter } from "../../../../shared/graph/import-item.ts";
import { all } from "../../../shared/vault/samples.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore, contents, copyFirstItem } from "../a-restore.ts";

type Kit = Awaited<ReturnType<typeof aRestore>>;

const entriesOf = async (kit: Kit) => (await all(kit.ledgers.readAll(ledgerName(aRestoreId, 0))))[0]?.entries ?? [];

const importFault = { endpoint: "import-item" } as const;

const requests = async (kit: Kit, endpoint: string) => (await kit.admin.counters({})).requests[endpoint] ?? 0;

/** An importer of which the first import is another one's to send. */
const firstBy =
  (kit: Kit, first: (real: ItemImporter["send"]) => ItemImporter["send"]): OpenImporter =>
  (url, budget) => {
    const { send } = importer({ importHosts: [new URL(kit.emulator.importUrl).host], userAgent: "test" })(url, budget);
    let sent = 0;
    return {
      send: (item) => {
        sent += 1;
        return sent === 1 ? first(send)(item) : send(item);
      },
    };
  };

/** Exchange's clock, which can be set. */
const aClock = (aheadMs = 0) => {
  const clock = { aheadMs, now: () => Date.now() + clock.aheadMs };
  return clock;
};

describe("an import without an answer", () => {
  test("is looked for between waves for ten minutes by Exchange's clock, and is then sent again", async () => {
    const clock = aClock();
    const kit = await aRestore({ items: 2 }, { now: clock.now });
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "status", ...importFault, status: 504, count: 1 });
    const wave = () => kit.upload(session, {}, { firstLookMs: 10_000 });

    const first = await wave();
    expect(first).toMatchObject({ left: [{ from: 0, to: 1 }], sessionEnded: false });
    expect(first.waitMs).toBeGreaterThan(5_000);
    expect(first.waitMs).toBeLessThanOrEqual(10_000);
    for (const minutes of [1, 4, 4]) {
      clock.aheadMs += minutes * 60_000;
      const { left, waitMs } = await wave();
      expect(left).toHaveLength(1);
      expect(waitMs).toBeGreaterThan(5_000);
    }
    expect(await requests(kit, "import-item")).toBe(2);

    clock.aheadMs += 2 * 60_000;
    expect(await wave()).toMatchObject({ imported: 2, left: [], waitMs: 0 });
    expect(await requests(kit, "import-item")).toBe(3);
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("is found when it takes effect long after the answer was given up", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    const late: Promise<unknown>[] = [];
    const openImporter = firstBy(kit, (real) => async ({ beforeSending: _, ...item }) => {
      late.push(delay(200).then(() => real(item)));
      throw new GraphError("POST importItem", { status: 504, code: "GatewayTimeout" });
    });

    expect(await kit.uploadAll(session, {}, { openImporter, firstLookMs: 50 })).toMatchObject({
      imported: 6,
      failed: 0,
    });
    await Promise.all(late);
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("is named as surplus when it takes effect only after it was sent again", async () => {
    const kit = await aRestore({ items: 3 });
    const { lost, session } = await kit.loseInbox();
    let takeEffect = async (): Promise<unknown> => undefined;
    const openImporter = firstBy(kit, (real) => async ({ beforeSending: _, ...item }) => {
      takeEffect = () => real(item);
      throw new GraphError("POST importItem", { status: 504, code: "GatewayTimeout" });
    });
    expect(await kit.uploadAll(session, {}, { openImporter })).toMatchObject({ imported: 3, failed: 0 });
    expect(await kit.inbox()).toEqual(contents(lost));

    await takeEffect();

    expect(await kit.reconcile()).toMatchObject({ imported: 3, missing: 0, surplus: 1 });
    const [surplus, ...others] = (await kit.report()).items;
    expect(others).toEqual([]);
    expect(surplus?.outcome).toBe("surplus");
    for (const id of surplus?.lookAt ?? [""]) expect((await kit.items()).map((item) => item.id)).toContain(id);
  });

  test.each([true, false])("is one whose success names no item, too (it was imported: %s)", async (isImported) => {
    const kit = await aRestore({ items: 3 });
    const { lost, session } = await kit.loseInbox();
    const openImporter = firstBy(kit, (real) => async (item) => {
      if (isImported) await real(item);
      throw new GraphError("POST importItem", { status: 200, code: "ErrorItemSave" });
    });

    expect(await kit.uploadAll(session, {}, { openImporter })).toMatchObject({ imported: 3, failed: 0 });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test.each([-10, 10])("is found whatever the app's clock says: Exchange's is %i minutes ahead", async (minutes) => {
    const clock = aClock(minutes * 60_000);
    const kit = await aRestore({ items: 3 }, { now: clock.now });
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "reset", ...importFault, when: "after-commit", count: 1 });

    expect(await kit.uploadAll(session)).toMatchObject({ imported: 3, ambiguous: 0 });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  /** Two copies of an item from an hour ago, and a plan to put both beside themselves again. */
  const duplicates = async () => {
    const clock = aClock(-3_600_000);
    const kit = await aRestore({ items: 1 }, { now: clock.now, prepare: (mailbox) => copyFirstItem(mailbox, 1) });
    clock.aheadMs = 0;
    await kit.plan({ onConflict: "duplicate" });
    await kit.makeFolders();
    return { kit, session: await kit.openSession() };
  };

  test("is sent again, however many older copies there are", async () => {
    const { kit, session } = await duplicates();
    await kit.fault({ kind: "reset", ...importFault, when: "before", count: 1 });

    expect(await kit.uploadAll(session)).toMatchObject({ imported: 2, ambiguous: 0 });
    expect(await kit.items()).toHaveLength(4);
  });

  test("is ambiguous among duplicates when a copy is new, and says which to look at", async () => {
    const { kit, session } = await duplicates();
    const before = (await kit.items()).map(({ id }) => id);
    await copyFirstItem(kit, 1); // by somebody else
    const [theirs] = (await kit.items()).filter(({ id }) => !before.includes(id));
    await kit.fault({ kind: "reset", ...importFault, when: "before", count: 1 });

    expect(await kit.uploadAll(session)).toMatchObject({ imported: 1, ambiguous: 1 });
    expect(await kit.items()).toHaveLength(4);
    const [unclear] = (await entriesOf(kit)).filter(({ op }) => op === "ambiguous");
    expect(unclear).toMatchObject({ code: "copy-of-unknown-origin", lookAt: expect.arrayContaining([theirs?.id]) });
  });
});

test("an import whose ledger is lost within its body is broken off, and the next holder imports it", async () => {
  const kit = await aRestore({ items: 1 });
  const { lost, session } = await kit.loseInbox();
  let next: Promise<Ledger> | undefined;
  const openImporter = firstBy(
    kit,
    (real) => (item) =>
      real({
        ...item,
        content: async function* () {
          for await (const piece of item.content()) {
            yield piece.subarray(0, 100);
            await kit.container.getBlobClient(ledgerName(aRestoreId, 0)).getBlobLeaseClient().breakLease(0);
            next = kit.ledgers.open(ledgerName(aRestoreId, 0));
            await next;
            await delay(1_000); // for as long as an answer of storage counts
            yield piece.subarray(100);
          }
        },
      }),
  );

  await expect(kit.upload(session, {}, { openImporter })).rejects.toThrow("is about to pass to another writer");
  expect(await kit.items()).toEqual([]);
  await (await next)?.close();
  expect(await kit.uploadAll(session)).toMatchObject({ imported: 1 });
  expect(await kit.inbox()).toEqual(contents(lost));
});

describe("upload-wave, which replaces live items", () => {
  /** Two items that changed since the backup, and a plan to bring their old versions back in their place. */
  const aReplacement = async () => {
    const kit = await aRestore({ items: 2 });
    const { lost: old, session } = await kit.loseInbox();
    const { ids } = await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 2, bytes: 700 });
    const listed = await kit.ask(`/v1.0/admin/exchange/mailboxes/${kit.mailbox.id}/folders/inbox/items`, {});
    const live = listed.body["value"] as { id: string; changeKey: string }[];
    for (const [name, blob] of kit.work.blobs)
      if (/plan-\w+\/c\d+\.json$/.test(name)) {
        const items = JSON.parse(blob.body.toString()) as object[];
        blob.body = Buffer.from(
          JSON.stringify(
            items.map((item, n) => ({ ...item, replaces: { id: live[n]?.id, changeKey: live[n]?.changeKey } })),
          ),
        );
      }
    return { kit, old, session, ids };
  };

  test("replaces them with the stored versions: no item more, none less", async () => {
    const { kit, old, session, ids } = await aReplacement();

    expect(await kit.upload(session)).toMatchObject({ imported: 0, replaced: 2, failed: 0, left: [] });

    expect(await kit.inbox()).toEqual(contents(old));
    expect((await kit.items()).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(await kit.reconcile()).toMatchObject({ replaced: 2, missing: 0 });
  });

  test("sends an item again whose import did not take effect", async () => {
    const { kit, old, session } = await aReplacement();
    await kit.fault({ kind: "reset", ...importFault, when: "before", count: 1 });

    expect(await kit.uploadAll(session)).toMatchObject({ replaced: 2, failed: 0, ambiguous: 0 });
    expect(await kit.inbox()).toEqual(contents(old));
    expect(await requests(kit, "import-item")).toBe(3);
  });

  test("does not say who changed an item when its import was not answered", async () => {
    const { kit, session, ids } = await aReplacement();
    await kit.fault({ kind: "reset", ...importFault, when: "after-commit", count: 1 });

    expect(await kit.upload(session)).toMatchObject({ replaced: 1, failed: 0, ambiguous: 1 });
    const [unclear] = (await entriesOf(kit)).filter(({ op }) => op === "ambiguous");
    expect(unclear).toMatchObject({ code: "changed-since-planned" });
    expect(ids).toContain(unclear && "lookAt" in unclear ? unclear.lookAt?.[0] : undefined);
  });

  test("takes nobody's own change for its own after a crash before the import", async () => {
    const { kit, session, ids } = await aReplacement();
    const ledger = await kit.ledgers.open(ledgerName(aRestoreId, 0));
    const at = new Date().toISOString();
    await ledger.append([0, 1].map((item) => ({ op: "intent" as const, item, at })));
    await ledger.close();
    for (const item of ids) await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item, subject: "By its owner" });

    expect(await kit.upload(session)).toMatchObject({ replaced: 0, ambiguous: 2, left: [] });
    expect(await requests(kit, "import-item")).toBe(0);
  });

  test("does not replace an item that changed after the plan, and says so", async () => {
    const { kit, session, ids } = await aReplacement();
    await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: ids[0] ?? "", subject: "Newer" });

    expect(await kit.upload(session)).toMatchObject({ replaced: 1, failed: 1 });
    expect(await entriesOf(kit)).toContainEqual({
      op: "failed",
      item: expect.any(Number),
      code: "ErrorIrresolvableConflict",
    });
  });
});
