import { describe, expect, test } from "vitest";
import { ledgerName } from "../../../../functions/restore/restore-state.ts";
import { all } from "../../../shared/vault/samples.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore } from "../a-restore.ts";
import { type Kit, type Meddler, meddlingClient, uploadWith } from "./meddling.ts";

const entriesOf = async (kit: Kit) => (await all(kit.ledgers.readAll(ledgerName(aRestoreId, 0))))[0]?.entries ?? [];

/** Wave after wave, each with another session than the one before where that has ended, as the orchestrator does. */
const restoreWith = async (kit: Kit, meddle: Meddler) => {
  const httpClient = meddlingClient(meddle);
  let pending = [{ from: 0, to: 1 }];
  let sessions = 0;
  let session: Awaited<ReturnType<Kit["openSession"]>> | undefined;
  for (let waves = 0; waves < 20; waves += 1) {
    const fresh = session === undefined;
    session ??= await kit.openSession();
    if (fresh) sessions += 1;
    const done = await uploadWith(kit, session, { httpClient }, { pending, fresh });
    pending = done.left;
    if (done.sessionEnded) session = undefined;
    if (done.stopped !== undefined || pending.length === 0) return { ...done, sessions };
  }
  return expect.fail("the restore does not end");
};

const refused = (code: string, status = 403) => ({ status, body: { error: { code, message: "No." } } });

describe("upload-wave and items that are refused with 403", () => {
  test.each([1, 5, 10])("fails %i of them alone, once a second session met the same", async (victims) => {
    const kit = await aRestore({ items: 30 });
    await kit.loseInbox();

    const done = await restoreWith(kit, (item) => (item < victims ? refused("ErrorItemSave") : undefined));

    expect(done).toMatchObject({ imported: 30 - victims, failed: victims, left: [], sessions: 2 });
    expect(done.stopped).toBeUndefined();
    expect((await entriesOf(kit)).filter(({ op }) => op === "failed")).toHaveLength(victims);
    expect(await kit.reconcile()).toMatchObject({ imported: 30 - victims, failed: victims, missing: 0 });
  });

  test("imports an item that only the first session refused", async () => {
    const kit = await aRestore();
    await kit.loseInbox();
    let refusals = 0;

    const done = await restoreWith(kit, (item) => {
      if (item !== 2 || refusals > 0) return undefined;
      refusals += 1;
      return refused("ErrorAccessDenied");
    });

    expect(done).toMatchObject({ imported: 6, failed: 0, sessions: 2 });
  });

  test("stops when a second session refuses every item, and fails none of them", async () => {
    const kit = await aRestore({ items: 30 });
    await kit.loseInbox();

    const done = await restoreWith(kit, () => refused("ErrorAccessDenied"));

    expect(done).toMatchObject({
      failed: 0,
      stopped: { reason: "not-permitted", code: "ErrorAccessDenied" },
      sessions: 2,
    });
    expect(await kit.items()).toHaveLength(0);
  });
});

describe("upload-wave and a full mailbox", () => {
  test.each([403, 400, 413, 429, 500, 503, 507, 200])("stops with that reason under status %i", async (status) => {
    const kit = await aRestore({ items: 30 });
    await kit.loseInbox();

    const done = await restoreWith(kit, (item) => (item < 12 ? undefined : refused("ErrorQuotaExceeded", status)));

    const stopped = { reason: "full", code: "ErrorQuotaExceeded" };
    expect(done).toMatchObject({ stopped, failed: 0, left: [{ from: 0, to: 1 }], sessions: 1 });
    expect((await kit.items()).length).toBe(12);
    expect(await kit.reconcile({ stopped: done.stopped })).toMatchObject({ imported: 12, missing: 18, stopped });
    expect((await kit.report()).items).toContainEqual(
      expect.objectContaining({ outcome: "missing", code: "ErrorQuotaExceeded" }),
    );
  });

  test("and a full folder are the same", async () => {
    const kit = await aRestore();
    await kit.loseInbox();
    const code = "ErrorMessagePerFolderCountReceiveQuotaExceeded";

    expect(await restoreWith(kit, () => refused(code, 500))).toMatchObject({ stopped: { reason: "full", code } });
  });
});

describe("upload-wave and a session", () => {
  test("that lives for less than five minutes uses it, when it is fresh", async () => {
    const kit = await aRestore();
    const { session } = await kit.loseInbox();
    const expires = new Date(Date.now() + 60_000).toISOString();

    expect(await kit.upload({ ...session, expires }, { fresh: true })).toMatchObject({ imported: 6, left: [] });
  });

  test("that is over by this app's clock uses it, when it is fresh", async () => {
    const kit = await aRestore();
    const { session } = await kit.loseInbox();
    const expires = new Date(Date.now() - 60_000).toISOString();

    expect(await kit.upload({ ...session, expires }, { fresh: true })).toMatchObject({ imported: 6, left: [] });
  });

  test("that ends within a chunk says how many items it settled", async () => {
    const kit = await aRestore({ items: 20 });
    const { session } = await kit.loseInbox();
    await kit.fault({ kind: "status", endpoint: "import-item", status: 401, after: 9 });

    const done = await kit.upload(session);

    expect(done).toMatchObject({ sessionEnded: true, imported: 0 });
    expect(done.settled).toBeGreaterThanOrEqual(9);
  });
});
