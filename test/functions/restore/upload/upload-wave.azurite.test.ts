import { describe, expect, test, vi } from "vitest";
import { ledgerName } from "../../../../functions/restore/restore-state.ts";
import { collectMetDamage } from "../../../../functions/verify/met-damage.ts";
import { readVerification } from "../../../../functions/verify/verification-state.ts";
import { all } from "../../../shared/vault/samples.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore, contents, copyFirstItem } from "../a-restore.ts";

type Kit = Awaited<ReturnType<typeof aRestore>>;

const entriesOf = async (kit: Kit) => (await all(kit.ledgers.readAll(ledgerName(aRestoreId, 0))))[0]?.entries ?? [];

const importFault = { endpoint: "import-item" } as const;

const requests = async (kit: Kit, endpoint: string) => (await kit.admin.counters({})).requests[endpoint] ?? 0;

const forgetSearchKeys = ({ work }: Kit): void => {
  for (const [name, blob] of work.blobs)
    if (/plan-\w+\/c\d+\.json$/.test(name))
      blob.body = Buffer.from(blob.body.toString().replaceAll(/"searchKey":"[^"]*",/g, ""));
};

describe("upload-wave", () => {
  test("brings every lost item back, byte by byte, and counts them", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();

    const result = await kit.upload(session);

    expect(result).toMatchObject({ imported: 6, ambiguous: 0, failed: 0, left: [], sessionEnded: false, waitMs: 0 });
    expect(result.bytes).toBe(lost.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(await kit.inbox()).toEqual(contents(lost));
    expect((await kit.admin.counters({})).violations).toEqual([]);
  });

  test("that comes under a hold that is gone does nothing, and says so", async () => {
    const kit = await aRestore();
    const { session } = await kit.loseInbox();

    const result = await kit.upload(session, { hold: { holder: "a", asking: "b" } });

    expect(result).toMatchObject({ notHeld: true, imported: 0, left: [{ from: 0, to: 1 }], sessionEnded: false });
    expect(await requests(kit, "import-item")).toBe(0);
  });

  test("writes each intent before its import, and the outcome after it", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();

    await kit.upload(session);

    const entries = (await entriesOf(kit)).map(({ op, item }) => `${op} ${item}`);
    for (const item of [0, 1])
      expect(entries.filter((entry) => entry.endsWith(` ${item}`))).toEqual([`intent ${item}`, `imported ${item}`]);
  });

  test("imports nothing again when it is delivered again, and returns the same", async () => {
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

  test.each([
    ["without an answer", { kind: "reset" }],
    ["behind a gateway that did not wait", { kind: "status", status: 504 }],
  ] as const)("finds an item that Exchange imported %s, and does not import it again", async (_, fault) => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ ...fault, ...importFault, when: "after-commit", count: 1 });

    expect(await kit.upload(session)).toMatchObject({ imported: 6, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
    expect(await requests(kit, "import-item")).toBe(6);
  });

  test("imports an item again, some time later, when there was no answer and it does not show", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "reset", ...importFault, when: "before", count: 1, after: 2 });

    expect(await kit.uploadAll(session)).toMatchObject({ imported: 6, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
    const entries = await entriesOf(kit);
    const twice = [0, 1, 2, 3, 4, 5].filter((n) => entries.filter(({ op, item }) => op === "intent" && item === n)[1]);
    expect(twice).toHaveLength(1);
  });

  test("leaves an unanswered item to the next wave when time is up", async () => {
    const kit = await aRestore({ items: 1 });
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "reset", ...importFault, when: "before", count: 1 });

    expect(await kit.upload(session, { budgetMs: 1 })).toMatchObject({ imported: 0, left: [{ from: 0, to: 1 }] });
    expect(await kit.uploadAll(session)).toMatchObject({ imported: 1, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("fails an item that is never answered, and goes on", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();
    await kit.fault({ kind: "status", ...importFault, status: 500, count: 5 });

    const result = await kit.uploadAll(session, { slots: 1 });

    expect(result.imported + result.failed).toBe(2);
    expect(result.left).toEqual([]);
    expect(await kit.items()).toHaveLength(result.imported);
  });

  test("looks for an item with an intent of a crashed delivery before it imports it", async () => {
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
    expect(await requests(kit, "import-item")).toBe(3);
  });

  test.each(["after-commit", "before"] as const)(
    "counts copies of one item in one folder when an answer is lost (%s): three are three again",
    async (when) => {
      const kit = await aRestore({ items: 1 }, { prepare: (mailbox) => copyFirstItem(mailbox, 2) });
      const { lost, session } = await kit.loseInbox();
      expect(new Set(lost.map(({ searchKey }) => searchKey)).size).toBe(1);
      await kit.fault({ kind: "reset", ...importFault, when, count: 1, after: 1 });

      const result = await kit.uploadAll(session);

      expect(result).toMatchObject({ imported: 3, left: [] });
      expect(await kit.inbox()).toEqual(contents(lost));
      expect(await kit.reconcile()).toMatchObject({ imported: 3, missing: 0 });
    },
  );

  test("calls an unanswered item without a search key ambiguous, and does not import it again", async () => {
    const kit = await aRestore({ items: 2 });
    const { lost, session } = await kit.loseInbox();
    forgetSearchKeys(kit);
    await kit.fault({ kind: "reset", ...importFault, when: "after-commit", count: 1 });

    expect(await kit.upload(session)).toMatchObject({ imported: 1, ambiguous: 1, failed: 0, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
    expect(await kit.reconcile()).toMatchObject({ imported: 1, ambiguous: 1, missing: 0 });
  });

  test("imports an item without a search key later when Exchange refused it", async () => {
    const kit = await aRestore({ items: 2 });
    const { lost, session } = await kit.loseInbox();
    forgetSearchKeys(kit);
    await kit.fault({ kind: "status", ...importFault, status: 429, retryAfter: 900, count: 1 });

    expect(await kit.upload(session)).toMatchObject({ left: [{ from: 0, to: 1 }], waitMs: 900_000 });
    expect(await kit.upload(session)).toMatchObject({ imported: 2, ambiguous: 0, left: [] });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("fails an item whose bytes the vault has lost, with a code, and goes on", async () => {
    const kit = await aRestore();
    const { session } = await kit.loseInbox();
    const packs = [...kit.vault.blobs].filter(([name]) => name.endsWith(".zip"));
    for (const [, { body }] of packs) body.fill(0, 40, 60);

    expect(await kit.upload(session)).toMatchObject({ imported: 5, failed: 1, left: [] });
    expect(await entriesOf(kit)).toContainEqual({ op: "failed", item: expect.any(Number), code: "vault-damaged" });
    expect(await kit.items()).toHaveLength(5);
    await collectMetDamage({ vault: kit.vault, work: kit.work, state: kit.state });
    const known = await readVerification(kit.state, kit.mailbox.key);
    expect(packs.map(([name]) => name)).toEqual(expect.arrayContaining(known?.findings.map(({ blob }) => blob) ?? []));
    expect(known?.damaged).toMatchObject([{ problems: expect.any(Number) }]);
  });

  test.each([401, 403])("returns that the session ended on %i, and what is left", async (status) => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "status", ...importFault, status, after: 2, count: 1 });

    expect(await kit.upload(session, { slots: 1 })).toMatchObject({
      imported: 0,
      left: [{ from: 0, to: 1 }],
      sessionEnded: true,
    });
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
    expect(await entriesOf(kit)).toContainEqual({ op: "failed", item: expect.any(Number), code: "ErrorNotThisOne" });
  });

  test("imports at least one item when there is no time", async () => {
    const kit = await aRestore({ items: 20 });
    const { session } = await kit.loseInbox();

    expect(await kit.upload(session, { budgetMs: 1 })).toMatchObject({
      left: [{ from: 0, to: 1 }],
      sessionEnded: false,
    });
    expect((await kit.items()).length).toBeGreaterThan(0);
    expect((await kit.items()).length).toBeLessThan(20);
  });

  test("keeps all of its slots busy, and no more, with the items of one chunk", async () => {
    for (const slots of [1, 4]) {
      const kit = await aRestore({ items: 30 });
      const { session } = await kit.loseInbox();
      await kit.admin["reset-counters"]({});
      await kit.fault({ kind: "hold", ...importFault, count: slots });

      const uploading = kit.upload(session, { slots });
      await expect.poll(() => kit.admin.faults({})).toMatchObject([{ struck: slots }]);
      await kit.admin["clear-faults"]({});
      expect(await uploading).toMatchObject({ imported: 30 });

      const { mailboxes, throttled } = await kit.admin.counters({});
      expect(mailboxes[kit.mailbox.id]?.highestConcurrency).toBe(slots);
      expect(throttled).toEqual({ MailboxConcurrency: 0, Requests: 0, IncomingBytes: 0 });
    }
  });

  test("leaves items beyond Exchange's limits to a later wave, and returns how long to wait", async () => {
    const kit = await aRestore({ items: 3 });
    const { lost, session } = await kit.loseInbox();
    vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
    const at = Math.floor(Date.now() / 1000);
    const spent = [{ at, bytes: 150_000_000, requests: 1 }];

    const first = await kit.upload(session, { spent, budgetMs: 60_000 });

    expect(first).toMatchObject({ imported: 0, left: [{ from: 0, to: 1 }], throttled: 0 });
    expect(first.waitMs).toBeGreaterThan(295_000);
    expect(first.waitMs).toBeLessThan(310_000);
    expect(await requests(kit, "import-item")).toBe(0);
    vi.setSystemTime(Date.now() + 400_000);
    expect(await kit.upload(session, { spent: first.spent })).toMatchObject({ imported: 3 });
    expect(await kit.inbox()).toEqual(contents(lost));
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
