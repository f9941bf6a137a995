import { describe, expect, test } from "vitest";
import { ledgerName } from "../../../../functions/restore/restore-state.ts";
import { mailboxGates } from "../../../../shared/graph/mailbox-gate.ts";
import { all } from "../../../shared/vault/samples.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore, contents } from "../a-restore.ts";
import { awayBlobs, type Kit, meddlingClient, unreachable, uploadWith } from "./meddling.ts";

const entriesOf = async (kit: Kit) => (await all(kit.ledgers.readAll(ledgerName(aRestoreId, 0))))[0]?.entries ?? [];
const imports = async (kit: Kit) => (await kit.admin.counters({})).requests["import-item"] ?? 0;

const importFault = { kind: "status", endpoint: "import-item" } as const;

/** Wave after wave, as the orchestrator runs them, without its waits. */
const untilDone = async (kit: Kit, session: Awaited<ReturnType<Kit["openSession"]>>, most = 20) => {
  for (let waves = 1; waves <= most; waves += 1) {
    const done = await kit.upload(session);
    if (done.left.length === 0) return { ...done, waves };
  }
  return expect.fail("the restore does not end");
};

describe("upload-wave in an outage", () => {
  test.each([
    ["503", 503, undefined],
    ["503 with a Retry-After", 503, 20],
    ["509", 509, undefined],
    ["408", 408, undefined],
    ["423 with a Retry-After", 423, 20],
    ["412 with a Retry-After", 412, 20],
  ])("of imports that answer %s fails no item, however many waves it lasts", async (_, status, retryAfter) => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ ...importFault, status, ...(retryAfter === undefined ? {} : { retryAfter }) });

    for (let wave = 0; wave < 8; wave += 1)
      expect(await kit.upload(session)).toMatchObject({
        away: true,
        failed: 0,
        left: [{ from: 0, to: 1 }],
        waitMs: (retryAfter ?? 0) * 1000,
      });
    await kit.admin["clear-faults"]({});

    expect(await untilDone(kit, session)).toMatchObject({ imported: 6, failed: 0, ambiguous: 0 });
    expect(await kit.inbox()).toEqual(contents(lost));
    expect(await kit.reconcile()).toMatchObject({ imported: 6, missing: 0 });
  });

  test.each([504, 502])(
    "of imports that answer %i fails no item either, and none is imported twice",
    async (status) => {
      const kit = await aRestore({ items: 4 });
      const { lost, session } = await kit.loseInbox();
      await kit.fault({ ...importFault, status, when: "after-commit", count: 2 });
      await kit.fault({ ...importFault, status, count: 20 });

      expect(await untilDone(kit, session)).toMatchObject({ imported: 4, failed: 0 });
      expect(await kit.inbox()).toEqual(contents(lost));
    },
  );

  test("of all of Graph returns what is left", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ kind: "status", endpoint: "*", status: 503, retryAfter: 0 });

    expect(await kit.upload(session)).toMatchObject({ away: true, waitMs: 0, left: [{ from: 0, to: 1 }] });
    await kit.admin["clear-faults"]({});
    expect(await untilDone(kit, session)).toMatchObject({ imported: 6 });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("is one item's own when the service takes others, so that it is not waited for without end", async () => {
    const kit = await aRestore({ items: 30 });
    const { session } = await kit.loseInbox();
    await kit.admin.settings({ latencyMs: 20 });
    const httpClient = meddlingClient((item) => (item === 0 ? { status: 503 } : undefined));

    const waves = [];
    for (let wave = 0; wave < 3; wave += 1) waves.push(await uploadWith(kit, session, { httpClient }, { slots: 4 }));

    expect(await kit.items()).toHaveLength(29);
    expect(waves.at(-1)).toMatchObject({ left: [{ from: 0, to: 1 }], failed: 0, away: true });
  });

  test.each(["work", "vault"] as const)("of storage (%s) returns what is left, and goes on later", async (which) => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();

    for (let wave = 0; wave < 7; wave += 1)
      expect(await uploadWith(kit, session, { [which]: awayBlobs(kit[which]) })).toMatchObject({
        away: true,
        imported: 0,
        failed: 0,
        left: [{ from: 0, to: 1 }],
      });

    expect(await kit.upload(session)).toMatchObject({ imported: 6, failed: 0 });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("of a ledger's storage loses nothing: what was sent is found", async () => {
    const kit = await aRestore();
    const { lost, session } = await kit.loseInbox();
    let appends = 0;
    const breaking = {
      ...kit.ledgers,
      open: async (name: string) => {
        const ledger = await kit.ledgers.open(name);
        return {
          ...ledger,
          append: async (entries: Parameters<typeof ledger.append>[0]) => {
            appends += 1;
            if (appends > 1) throw unreachable();
            await ledger.append(entries);
          },
        };
      },
    };

    expect(await uploadWith(kit, session, { ledgers: breaking })).toMatchObject({ away: true, failed: 0 });
    expect(await untilDone(kit, session)).toMatchObject({ imported: 6, failed: 0 });
    expect(await kit.inbox()).toEqual(contents(lost));
  });
});

describe("upload-wave, told to wait,", () => {
  test("holds back all lanes, and counts a wait of days as an hour", async () => {
    const kit = await aRestore({ items: 30 });
    const { session } = await kit.loseInbox();
    await kit.fault({ ...importFault, status: 429, retryAfter: "99999999999999999", count: 1 });

    const done = await kit.upload(session);

    expect(done).toMatchObject({ away: true, throttled: 1 });
    expect(done.waitMs).toBeGreaterThan(3_590_000);
    expect(done.waitMs).toBeLessThanOrEqual(3_600_000);
    expect(await imports(kit)).toBeLessThanOrEqual(4);
  });

  test("waits with all lanes when the wait is short", async () => {
    const kit = await aRestore({ items: 30 });
    const { lost, session } = await kit.loseInbox();
    await kit.fault({ ...importFault, status: 429, retryAfter: 2, count: 1 });

    const uploading = kit.upload(session);
    await expect.poll(async () => (await kit.admin.faults({}))[0]?.struck).toBe(1);
    const sent = await imports(kit);
    await expect.poll(() => imports(kit), { timeout: 5_000, interval: 20 }).toBeGreaterThan(Math.max(4, sent));

    expect(await uploading).toMatchObject({ imported: 30, throttled: 1 });
    expect(await kit.inbox()).toEqual(contents(lost));
  });

  test("and another wave of the same process send nothing meanwhile", async () => {
    const kit = await aRestore();
    const { session } = await kit.loseInbox();
    const gates = mailboxGates();
    await kit.fault({ ...importFault, status: 503, retryAfter: 1_200, count: 1 });

    expect(await uploadWith(kit, session, { gates })).toMatchObject({ away: true, waitMs: 1_200_000 });
    const sent = await imports(kit);
    const other = await uploadWith(kit, session, { gates });

    expect(other).toMatchObject({ away: true, failed: 0 });
    expect(other.waitMs).toBeGreaterThan(1_190_000);
    expect(await imports(kit)).toBe(sent);
  });
});

describe("upload-wave and an import that is answered 2xx", () => {
  test.each([
    ["an error", { error: { code: "ErrorInternalServerError", message: "No." } }],
    ["nothing", {}],
    ["no body", ""],
    ["HTML", "<html></html>"],
  ])("with %s inside looks for the item, and fails it alone in the end", async (_, body) => {
    const kit = await aRestore({ items: 6 });
    const { session } = await kit.loseInbox();

    const httpClient = meddlingClient((item) => (item === 0 ? { status: 200, body } : undefined));

    let done = await uploadWith(kit, session, { httpClient });
    while (done.left.length > 0) done = await uploadWith(kit, session, { httpClient });

    expect(done).toMatchObject({ imported: 5, failed: 1, left: [] });
    expect(await entriesOf(kit)).toContainEqual({ op: "failed", item: expect.any(Number), code: "no-answer" });
  });
});
