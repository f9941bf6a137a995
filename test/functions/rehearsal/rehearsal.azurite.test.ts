import { describe, expect, test } from "vitest";
import { closeRehearsalActivity } from "../../../functions/rehearsal/close-rehearsal.activity.ts";
import { listRehearsals } from "../../../functions/rehearsal/list-rehearsals.http.ts";
import { openRehearsalActivity } from "../../../functions/rehearsal/open-rehearsal.activity.ts";
import { closeRehearsal, openRehearsal } from "../../../functions/rehearsal/rehearsal.contract.ts";
import { type RehearsalReport, readRehearsalReports } from "../../../functions/rehearsal/rehearsal-state.ts";
import type { RestoreRequested } from "../../../shared/audit/audit-log.ts";
import { rehearsalInstance } from "../../../shared/contracts/job-ids.ts";
import { memoryAuditLog } from "../../shared/audit/memory-audit-log.ts";
import { all } from "../../shared/vault/samples.ts";
import { aFakeHub, ask } from "../fake-hub.ts";
import { anotherMailbox, aRestoreId, BO, deliver } from "../kit.ts";
import { aRestore } from "../restore/a-restore.ts";

const DATE = "2026-11-22";
const PLAN_ID = "20261122T060000Z-abc234";
const rehearsal = { rehearsalId: PLAN_ID, restoreId: aRestoreId, date: DATE };

/** A backed-up mailbox, another one for rehearsals, and the activities in the order of the orchestrators. */
const aRehearsal = async (instances: Parameters<typeof aFakeHub>[0] = {}) => {
  const kit = await aRestore({ items: 20, layout: "typical" }, { intoOf: anotherMailbox });
  const { openGraph, vault, work, state, ledgers } = kit;
  const audit = memoryAuditLog();
  const entries = (): RestoreRequested[] =>
    [...audit.blobs.values()].flatMap((lines) => lines.trim().split("\n")).map((line) => JSON.parse(line));
  const hub = aFakeHub(instances);
  const into = kit.into ?? expect.fail("there is no second mailbox");
  const open = (overrides: Partial<typeof rehearsal> = {}, mailbox: string | undefined = BO) =>
    deliver(
      openRehearsalActivity({ ...hub, openGraph, vault, work, state, audit, mailbox, items: 10 }),
      openRehearsal,
      { ...rehearsal, ...overrides },
    );
  const restore = async () => {
    const { chunks } = await kit.plan({ planOf: PLAN_ID, mailbox: into, target: "new-folder" });
    await kit.makeFolders();
    await kit.upload(await kit.openSession(), { pending: [{ from: 0, to: chunks }] });
    await kit.reconcile();
  };
  const close = () =>
    deliver(closeRehearsalActivity({ openGraph, work, state, ledgers }), closeRehearsal, {
      ...rehearsal,
      mailbox: into,
    });
  const held = async () => all(await kit.admin.items({ mailbox: into.id }));
  const folders = () => kit.admin.folders({ mailbox: into.id });
  const report = async (): Promise<RehearsalReport> =>
    (await readRehearsalReports(state, 1))[0] ?? expect.fail("there is no report");
  return { ...kit, into, entries, open, restore, close, held, folders, report };
};

describe("a restore rehearsal", () => {
  test("proves that a sample comes back as it was, and leaves nothing behind", async () => {
    const kit = await aRehearsal();
    const before = await kit.folders();

    const opened = await kit.open();
    expect(opened).toMatchObject({ mailbox: kit.into, items: 10, snapshotId: kit.snapshotId });
    await kit.restore();
    expect(await kit.held()).toHaveLength(10);
    const closed = await kit.close();

    expect(closed).toEqual({
      items: 10,
      same: 10,
      different: 0,
      missing: 0,
      extra: 0,
      damagedMailboxes: 0,
      proved: true,
    });
    expect(await kit.held()).toEqual([]);
    expect(await kit.folders()).toEqual(before);
    expect(await kit.report()).toMatchObject({
      date: DATE,
      into: kit.into.key,
      sample: [{ mailbox: kit.mailbox.key, snapshot: kit.snapshotId, items: 10 }],
      proved: true,
      differences: [],
      removed: expect.any(String),
    });
    const report = await kit.report();
    expect(await kit.close()).toEqual(closed);
    expect(await kit.report()).toEqual(report);
  });

  test("names a missing item and one that differs, and counts items that it did not restore", async () => {
    const kit = await aRehearsal();
    await kit.open();
    await kit.restore();
    const [lost, changed] = await kit.held();
    await kit.admin["remove-item"]({ mailbox: kit.into.id, item: lost?.id ?? "" });
    await kit.admin["change-item"]({ mailbox: kit.into.id, item: changed?.id ?? "", subject: "another" });
    await kit.admin["create-items"]({ mailbox: kit.into.id, folder: changed?.folderId ?? "" });

    expect(await kit.close()).toMatchObject({ same: 8, different: 1, missing: 1, extra: 1, proved: false });
    const { differences } = await kit.report();
    expect(differences.map(({ fields }) => fields).toSorted()).toEqual([["subject"], undefined]);
    expect(new Set(differences.map(({ mailbox }) => mailbox))).toEqual(new Set([kit.mailbox.key]));
    expect(await kit.held()).toEqual([]);
  });

  test("proves nothing with a damaged mailbox, or with none", async () => {
    const kit = await aRehearsal();
    for (const name of [...kit.vault.blobs.keys()]) if (name.includes("/catalog/")) await kit.vault.remove(name);

    expect(await kit.open()).toMatchObject({ items: 0 });
    expect(await kit.close()).toMatchObject({ items: 0, damagedMailboxes: 1, proved: false });
    expect(await kit.report()).toMatchObject({ damaged: [{ mailbox: kit.mailbox.key }] });
  });

  test("takes the same sample again on one day, another one on the next, and audits whose items it takes", async () => {
    const kit = await aRehearsal();
    const idsOf = (index: number) => kit.entries()[index]?.selection.ids;

    await kit.open();
    await kit.open();
    await kit.open({ date: "2026-11-23", rehearsalId: "20261123T060000Z-abc234" });

    expect(kit.entries()[0]).toMatchObject({
      job: `restore-${aRestoreId}`,
      mailbox: kit.mailbox.key,
      into: kit.into.key,
    });
    expect(await kit.held()).toEqual([]);
    expect(idsOf(0)).toHaveLength(10);
    expect(idsOf(1)).toEqual(idsOf(0));
    expect(idsOf(2)).not.toEqual(idsOf(0));
  });

  test("refuses to begin without a mailbox of its own", async () => {
    const kit = await aRehearsal();

    await expect(kit.open({}, "nobody@contoso.example")).rejects.toThrow("REHEARSAL_MAILBOX has no mailbox");
  });
});

describe("what a rehearsal left behind", () => {
  const tomorrow = { date: "2026-11-23", rehearsalId: "20261123T060000Z-xyz567", restoreId: "20261123T060000Z-abc567" };

  test("is removed by the next one, which removes nothing else from the mailbox", async () => {
    const kit = await aRehearsal();
    const mailbox = kit.into.id;
    await kit.open();
    await kit.restore();
    const name = (await kit.folders()).map(({ displayName }) => displayName).find((each) => each.startsWith("Restore"));
    const theirs = await kit.admin["create-folder"]({ mailbox, displayName: `${name} (copy)` });
    const inbox = (await kit.folders()).find(({ wellKnownName }) => wellKnownName === "inbox");
    const below = await kit.admin["create-folder"]({ mailbox, parent: inbox?.id ?? "", displayName: name ?? "" });

    await kit.open(tomorrow);

    expect(await kit.held()).toEqual([]);
    const ids = (await kit.folders()).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([theirs.id, below.id]));
    expect((await kit.folders()).map(({ displayName }) => displayName)).not.toContain("1");
  });

  test("is left alone while that rehearsal is alive", async () => {
    const kit = await aRehearsal({ [rehearsalInstance(DATE)]: { runtimeStatus: "Running" } });
    await kit.open();
    await kit.restore();

    await kit.open(tomorrow);

    expect(await kit.held()).toHaveLength(10);
  });
});

describe("GET /api/rehearsals", () => {
  test("lists the newest reports first, also of a day on which nothing came back, and no address", async () => {
    const kit = await aRehearsal();
    await kit.open();
    expect(await kit.close()).toMatchObject({ items: 10, missing: 10, proved: false });
    const report = await kit.report();
    const older = { ...report, date: "2026-11-21" };
    await kit.state.create("rehearsals/2026-11-21.json", Buffer.from(JSON.stringify(older)));

    const { status, body, text } = await ask(listRehearsals(kit));

    expect(status).toBe(200);
    expect(body).toEqual({ rehearsals: [report, older] });
    expect(text).not.toContain("@");
  });
});
