import { describe, expect, test } from "vitest";
import { ledgerName } from "../../../shared/work/restore-state.ts";
import { all } from "../../shared/vault/samples.ts";
import { aRestore, aRestoreId, contents, copyFirstItem } from "./a-restore.ts";

type Kit = Awaited<ReturnType<typeof aRestore>>;

const entriesOf = async (kit: Kit) => (await all(kit.ledgers.readAll(ledgerName(aRestoreId, 0))))[0]?.entries ?? [];

const importFault = { endpoint: "import-item" } as const;

const requests = async (kit: Kit, endpoint: string) => (await kit.admin.counters({})).requests[endpoint] ?? 0;

const forgetSearchKeys = ({ work }: Kit): void => {
  for (const [name, blob] of work.blobs)
    if (/plan-\w+\/c\d+\.json$/.test(name))
      blob.body = Buffer.from(blob.body.toString().replaceAll(/"searchKey":"[^"]*",/g, ""));
};

describe("upload-items", () => {
  test("brings every lost item back, byte by byte, and says so", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();

    const result = await kit.upload(session);

    expect(result).toMatchObject({ imported: 6, ambiguous: 0, failed: 0, left: [], sessionEnded: false, waitMs: 0 });
    expect(result.bytes).toBe(lost.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(await kit.inbox()).toEqual(contents(lost));
    expect((await kit.admin.counters({})).violations).toEqual([]);
  });

  test("writes each intent before its import, and the outcome after it", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();

    await kit.upload(session);

    expect((await entriesOf(kit)).map(({ op, item }) => `${op} ${item}`)).toEqual([
      "intent 0",
      "imported 0",
      "intent 1",
      "imported 1",
    ]);
  });

  test("imports nothing again when it is delivered again, and answers the same", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();

    const first = await kit.upload(session);
    const second = await kit.upload(session);

    expect(second).toEqual({ ...first, elapsedMs: second.elapsedMs });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("imports each item once when it is delivered twice at the same time", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();

    const [one, other] = await Promise.all([kit.upload(session), kit.upload(session)]);

    expect([one.imported, other.imported]).toEqual([6, 6]);
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("finds an item that Exchange took without an answer, and does not import it again", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "reset", ...importFault, when: "after-commit", count: 1 });

    expect(await kit.upload(session)).toMatchObject({ imported: 6, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
    expect(await requests(kit, "import-item")).toBe(6);
  });

  test("throws when there was no answer and no item, and imports it at the next delivery", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "reset", ...importFault, when: "before", count: 1, after: 2 });

    await expect(kit.upload(session)).rejects.toThrow("POST importItem");
    expect((await entriesOf(kit)).at(-1)).toEqual({ op: "intent", item: 2 });
    expect(await kit.upload(session)).toMatchObject({ imported: 6, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("looks for an item whose intent a crashed delivery left, before it imports it", async () => {
    const kit = await aRestore({ items: 3 });
    const { lost, session } = await kit.loseInbox();
    await kit.upload(session);
    const entries = await entriesOf(kit);
    await kit.container.deleteBlob(ledgerName(aRestoreId, 0));
    const ledger = await kit.ledgers.open(ledgerName(aRestoreId, 0));
    await ledger.append(entries.slice(0, -1));
    await ledger.close();

    expect(await kit.upload(session)).toMatchObject({ imported: 3 });
    expect(await kit.inbox()).toEqual(contents(lost));
    expect((await entriesOf(kit)).at(-1)).toEqual(entries.at(-1));
  });

  test.each(["after-commit", "before"] as const)(
    "counts copies of one item in one folder when an answer is lost (%s): three are three again",
    async (when) => {
      const kit = await aRestore({ items: 1 }, { prepare: (mailbox) => copyFirstItem(mailbox, 2) });
      const { lost, session } = await kit.loseInbox();
      expect(new Set(lost.map(({ searchKey }) => searchKey)).size).toBe(1);
      await kit.fault({ kind: "reset", ...importFault, when, count: 1, after: 1 });

      const result = await kit.upload(session).catch(() => kit.upload(session));

      expect(result).toMatchObject({ imported: 3, left: [] });
      expect(await kit.inbox()).toEqual(contents(lost));
      expect(await kit.reconcile()).toMatchObject({ imported: 3, missing: 0 });
    },
  );

  test("calls an item ambiguous that has no search key to look for, and imports it no second time", async () => {
    const kit = await aRestore({ items: 2 });
    const { lost, session } = await kit.loseInbox();
    forgetSearchKeys(kit);
    await kit.fault({ kind: "reset", ...importFault, when: "after-commit", count: 1 });

    expect(await kit.upload(session)).toMatchObject({ imported: 1, ambiguous: 1, failed: 0, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
    expect(await kit.reconcile()).toMatchObject({ imported: 1, ambiguous: 1, missing: 0 });
  });

  test("imports an item without a search key later when Exchange refused it, as nothing was taken then", async () => {
    const kit = await aRestore({ items: 2 });
    const { lost, session } = await kit.loseInbox();
    forgetSearchKeys(kit);
    await kit.fault({ kind: "status", ...importFault, status: 429, retryAfter: 900, count: 1 });

    expect(await kit.upload(session)).toMatchObject({ left: [{ from: 0, to: 1 }], waitMs: 900_000 });
    expect(await kit.upload(session)).toMatchObject({ imported: 2, ambiguous: 0, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("fails an item whose bytes the vault has lost, says why, and goes on", async () => {
    const kit = await aRestore();
    const { session } = await kit.loseInbox();
    for (const [name, { body }] of kit.vault.blobs) if (name.endsWith(".zip")) body.fill(0, 40, 60);

    expect(await kit.upload(session)).toMatchObject({ imported: 5, failed: 1, left: [] });
    expect(await entriesOf(kit)).toContainEqual({ op: "failed", item: expect.any(Number), code: "vault-damaged" });
    expect(await kit.items()).toHaveLength(5);
  });

  test.each([401, 403])("says that the session ended on %i, and has what is left", async (status) => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "status", ...importFault, status, after: 2, count: 1 });

    expect(await kit.upload(session)).toMatchObject({ imported: 0, left: [{ from: 0, to: 1 }], sessionEnded: true });
    expect(await kit.upload(await kit.openSession())).toMatchObject({ imported: 6, left: [], sessionEnded: false });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("leaves a long wait to the orchestrator", async () => {
    const kit = await aRestore();
    const { session } = await kit.loseInbox();
    await kit.fault({ kind: "status", ...importFault, status: 429, retryAfter: 900, count: 1 });

    expect(await kit.upload(session)).toMatchObject({ left: [{ from: 0, to: 1 }], waitMs: 900_000, throttled: 1 });
    expect(await kit.upload(session)).toMatchObject({ imported: 6 });
  });

  test("waits out a short refusal by itself", async () => {
    const kit = await aRestore({ items: 1 });
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "status", ...importFault, status: 429, retryAfter: 0, count: 1 });

    expect(await kit.upload(session)).toMatchObject({ imported: 1, throttled: 1, waitMs: 0 });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test.each([400, 404, 409, 413, 422])("fails an item that Exchange refuses with %i, and goes on", async (status) => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();
    await kit.fault({ kind: "status", ...importFault, status, code: "ErrorNotThisOne", count: 1 });

    expect(await kit.upload(session)).toMatchObject({ imported: 1, failed: 1, left: [] });
    expect(await entriesOf(kit)).toContainEqual({ op: "failed", item: 0, code: "ErrorNotThisOne" });
  });

  test("imports at least one item however short its time is", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();

    expect(await kit.upload(session, { budgetMs: 1 })).toMatchObject({
      left: [{ from: 0, to: 1 }],
      sessionEnded: false,
    });
    expect(await kit.items()).toHaveLength(1);
  });

  test("uses no session that is about to end", async () => {
    const kit = await aRestore({ items: 1 });
    const { session } = await kit.loseInbox();
    const expires = new Date(Date.now() + 60_000).toISOString();

    expect(await kit.upload({ ...session, expires })).toMatchObject({ imported: 0, sessionEnded: true });
    expect(await requests(kit, "import-item")).toBe(0);
  });

  test("opens no session that was sealed for another restore", async () => {
    const kit = await aRestore({ items: 1 });
    const { session } = await kit.loseInbox();
    const sealed = kit.seals.seal(
      kit.seals.open(session.sealed, `the import session of restore ${aRestoreId}`),
      "other",
    );

    await expect(kit.upload({ ...session, sealed })).rejects.toThrow("does not open");
  });
});
