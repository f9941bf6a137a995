import { describe, expect, test } from "vitest";
import * as z from "zod";
import { appTranslator } from "../../../../functions/id-translation/translator.ts";
import { getReport } from "../../../../functions/restore/report/get-report.http.ts";
import { arrangeRestoresActivity } from "../../../../functions/restore/request/arrange-restores.activity.ts";
import { arrangeRestores, resolveRestores } from "../../../../functions/restore/request/resolve-list.contract.ts";
import { resolveRestoresActivity } from "../../../../functions/restore/request/resolve-restores.activity.ts";
import { startRestore } from "../../../../functions/restore/request/start-restore.http.ts";
import { RestoreMailboxesInput } from "../../../../functions/restore/restore-list.contract.ts";
import { findRestoreList } from "../../../../functions/restore/restore-list-state.ts";
import { readSelection } from "../../../../functions/restore/restore-state.ts";
import type { AuditLog } from "../../../../shared/audit/audit-log.ts";
import { ROLES } from "../../../../shared/security/principal.ts";
import { UPN } from "../../../local/graph/kit.ts";
import { memoryAuditLog } from "../../../shared/audit/memory-audit-log.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aFakeHub, ask, PROBLEM } from "../../fake-hub.ts";
import { anotherMailbox, BO, deliverWell } from "../../kit.ts";
import { aRestore } from "../a-restore.ts";

const OPERATOR = "0a0a0a0a-1111-4222-8333-444444444444";
const NOBODY = "nobody@contoso.example";
const all = { all: true };
const reason = "ticket 4711";

const Accepted = z.object({ job: z.string(), restores: z.array(z.strictObject({ job: z.string() })) });

/** Two mailboxes, of which the first was backed up. The call may not ask Graph for anything. */
const anApi = async (overrides: { audit?: AuditLog; roles?: string[]; hub?: ReturnType<typeof aFakeHub> } = {}) => {
  const kit = await aRestore({ items: 2 });
  const bo = await anotherMailbox(kit);
  const log = memoryAuditLog();
  const { roles = ["Restore.Operator", "Restore.CrossMailbox"], audit = log, hub = aFakeHub() } = overrides;
  const { vault, work, openGraph, translator } = kit;
  const openNone = () => expect.fail("Graph was called");
  const handler = startRestore({ ...hub, audit, translator, vault, work, state: work, openGraph: openNone, window: 3 });
  const post = (body: object) =>
    ask((request, context) => handler(request, context, { id: OPERATOR, roles }), {
      method: "POST",
      body: { reason, ...body },
    });
  /** Looks up the list that was started, as its job does: the order of its restores, or why it is refused. */
  const resolve = async () => {
    const { listId, restores } = RestoreMailboxesInput.parse(hub.started[0]?.input);
    const lookUp = resolveRestoresActivity({ openGraph, translator, vault, work, budgetMs: 60_000 });
    for (let from = 0; from < restores; ) from = (await deliverWell(lookUp, resolveRestores, { listId, from })).next;
    return deliverWell(arrangeRestoresActivity({ work, audit }), arrangeRestores, { listId });
  };
  const audited = () =>
    [...log.blobs.values()].flatMap((blob) =>
      blob
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    );
  /** The list that was started, by the mailbox restored into. */
  const listed = async () => {
    const { listId } = RestoreMailboxesInput.parse(hub.started[0]?.input);
    return (await findRestoreList(work, listId)) ?? [];
  };
  const report = async () =>
    (await ask(getReport({ ...hub, work }), { params: { id: hub.started[0]?.instanceId ?? "" } })).body;
  return { ...kit, ...hub, bo, post, resolve, audited, listed, report };
};

const toBo = { mailbox: BO };
const folder = (name: string) => ({ folders: [name] });

describe("POST /api/restores, of a list", () => {
  test("starts one job for all before it looks anything up, and names the job of each", async () => {
    const { post, started } = await anApi();

    const { status, headers, body } = await post({
      restores: [{ mailbox: UPN }, { mailbox: NOBODY, target: toBo }],
      select: all,
    });

    const { job, restores } = Accepted.parse(body);
    expect([status, headers["location"]]).toEqual([202, `/api/jobs/${job}`]);
    expect(job).toMatch(/^restores-\d{8}T\d{6}Z-[a-z2-7]{6}$/);
    expect(new Set(restores.map((restore) => restore.job)).size).toBe(2);
    const input = { listId: job.slice("restores-".length), restores: 2, window: 3 };
    expect(started).toEqual([{ name: "restore-mailboxes", instanceId: job, input }]);
  });

  test("costs a write for fifty restores, and one for the call, however many there are", async () => {
    const { post, work } = await anApi();
    const before = work.writes.length;

    await post({ restores: Array.from({ length: 1_000 }, (_, n) => ({ mailbox: `${n}@x.example` })), select: all });

    expect(work.writes.length - before).toBe(21);
  });

  test("finds the mailboxes and snapshots of each in the job", async () => {
    const { post, resolve, report, mailbox, bo, snapshotId } = await anApi();
    const { body } = await post({
      restores: [
        { mailbox: UPN, select: all },
        { mailbox: mailbox.key, select: folder("Inbox"), target: toBo },
      ],
    });
    const [first, second] = Accepted.parse(body).restores;
    expect(await report()).toMatchObject({
      ...{ state: "pending", outcomes: { waiting: 2 } },
      restores: [
        { ...first, outcome: "waiting" },
        { ...second, outcome: "waiting" },
      ],
    });

    expect(await resolve()).toEqual({ mailboxes: 2 });

    expect(await report()).toMatchObject({
      restores: [
        { ...first, mailbox: mailbox.key, into: mailbox.key, snapshot: snapshotId, outcome: "waiting" },
        { ...second, mailbox: mailbox.key, into: bo.key, snapshot: snapshotId, outcome: "waiting" },
      ],
    });
  });

  test("has defaults for entries that lack a field", async () => {
    const { post, resolve, listed, mailbox, bo, snapshotId, work } = await anApi();
    const own = { snapshot: snapshotId, select: folder("Inbox"), target: "original", onConflict: "duplicate" };

    await post({
      restores: [{ mailbox: UPN }, { mailbox: UPN, ...own }],
      ...{ at: "2999-01-01", select: all, target: toBo, onConflict: "replace", dryRun: true },
    });
    await resolve();

    const [first, second] = (await listed()).flat();
    expect(first).toMatchObject({ mailbox, into: bo, target: "new-folder", onConflict: "replace", dryRun: true });
    expect(second).toMatchObject({ mailbox, target: "original", onConflict: "duplicate", dryRun: true });
    expect(second).not.toHaveProperty("into");
    if (first && second)
      expect([
        await readSelection(work, first.restoreId, first.select),
        await readSelection(work, second.restoreId, second.select),
      ]).toEqual([all, own.select]);
  });

  test("orders restores by priority, with those into one mailbox in one queue", async () => {
    const { post, resolve, listed, mailbox, bo } = await anApi();

    const { body } = await post({
      restores: [
        { mailbox: UPN, priority: "low", onConflict: "replace" },
        { mailbox: UPN },
        { mailbox: UPN, target: toBo, priority: "high" },
        { mailbox: UPN, target: { ...toBo, folders: "original" }, priority: "low" },
      ],
      select: all,
    });
    await resolve();

    const jobs = Accepted.parse(body).restores.map(({ job }) => job);
    expect(new Set(jobs).size).toBe(4);
    const queues = await listed();
    expect(queues.map((queue) => queue.map(({ restoreId }) => jobs.indexOf(`restore-${restoreId}`)))).toEqual([
      [2, 3],
      [1, 0],
    ]);
    expect(queues.map(([first]) => first?.into?.key ?? first?.mailbox.key)).toEqual([bo.key, mailbox.key]);
  });

  test("keeps the list out of the history", async () => {
    const { post, resolve, started } = await anApi();
    await post({
      restores: [
        { mailbox: UPN, select: folder("Inbox") },
        { mailbox: NOBODY, select: folder("Inbox") },
      ],
    });

    expect(JSON.stringify([started, await resolve()])).not.toMatch(/MBX|contoso|Inbox/);
  });
});

describe("POST /api/restores, of a list that is refused", () => {
  test("starts nothing, and tells the problem of each position that cannot start in result and report", async () => {
    const { post, resolve, report, audited } = await anApi();
    const { body } = await post({
      restores: [
        { mailbox: UPN },
        { mailbox: NOBODY },
        { mailbox: BO },
        { mailbox: UPN, select: folder("Nowhere") },
        { mailbox: UPN, select: { items: ["AAMk-none"] } },
        { mailbox: UPN, target: { mailbox: NOBODY } },
        { mailbox: UPN, target: { mailbox: UPN } },
      ],
      select: all,
    });

    const found = await resolve();

    const refused = [
      { position: 1, type: "/problems/mailbox-not-found", status: 404 },
      { position: 2, type: "/problems/snapshot-not-found" },
      { position: 3, type: "/problems/folder-not-found" },
      { position: 4, type: "/problems/item-not-found" },
      { position: 5, type: "/problems/target-not-found" },
      { position: 6, type: "/problems/restore-repeated", status: 400 },
    ];
    expect(found).toMatchObject({ count: 6, refused });
    expect(JSON.stringify(found)).not.toMatch(/Nowhere|contoso/);
    expect(await report()).toMatchObject({
      outcomes: { refused: 6, "not-started": 1 },
      refused: refused.map((problem) => ({
        ...problem,
        ...(problem.position === 3 ? { folder: "Nowhere" } : {}),
        ...(problem.position === 4 ? { positions: [0] } : {}),
        ...(problem.position === 6 ? { first: 0 } : {}),
      })),
    });
    expect(JSON.stringify(await report())).not.toContain("contoso");
    expect(audited()).toMatchObject([{ event: "restore-list-requested", job: Accepted.parse(body).job }]);
  });

  test("is refused at once for what shows without looking anything up", async () => {
    const { post, started, audited, work } = await anApi();
    const before = work.blobs.size;

    const answer = await post({
      restores: [
        { mailbox: UPN },
        { mailbox: UPN, select: { items: ["AAMk-none"], format: "ewsId" } },
        { mailbox: UPN, priority: "high" },
      ],
      select: all,
    });

    expect(answer).toMatchObject({
      ...{ status: 400, headers: PROBLEM },
      body: {
        type: "/problems/list-refused",
        refused: [
          { position: 1, type: "/problems/malformed-ids", positions: [0] },
          { position: 2, type: "/problems/restore-repeated", first: 0 },
        ],
      },
    });
    expect([started, audited(), work.blobs.size]).toEqual([[], [], before]);
  });

  test("needs the role for another mailbox, as a single restore does", async () => {
    const { post, resolve } = await anApi({ roles: ["Restore.Operator"] });
    await post({ restores: [{ mailbox: UPN }, { mailbox: UPN, target: toBo }], select: all });

    expect(await resolve()).toMatchObject({
      refused: [{ position: 1, type: "/problems/role-missing", status: 403 }],
      count: 1,
    });
  });

  test.each<[body: object, field: string]>([
    [{ restores: [], select: all }, "restores"],
    [{ restores: Array.from({ length: 1_001 }, () => ({ mailbox: UPN })), select: all }, "restores"],
    [{ restores: "all", select: all }, "restores"],
    [{ restores: [{ mailbox: UPN, select: all }, { mailbox: UPN }] }, "restores.1.select"],
    [{ restores: [{ mailbox: UPN, select: {} }] }, "restores.0.select"],
    [
      { restores: [{ mailbox: UPN, at: "2026-11-22", snapshot: "20261122T010000Z-abc234" }], select: all },
      "restores.0.at",
    ],
    [{ restores: [{ mailbox: UPN, priority: 1 }], select: all }, "restores.0.priority"],
    [{ restores: [{ mailbox: UPN, reason }], select: all }, "restores.0"],
    [{ restores: [{ mailbox: UPN }], select: all, mailbox: UPN }, "(body)"],
    [{ restores: [{ mailbox: UPN }], select: all, reason: "" }, "reason"],
    [
      {
        restores: [{ mailbox: UPN }, { mailbox: BO }],
        select: { items: Array.from({ length: 501 }, (_, n) => `${n}`) },
      },
      "restores",
    ],
  ])("answers 400 and names the field: %#", async (body, field) => {
    const { started, clientOf } = aFakeHub();
    const [vault, work] = [memoryBlobs(), memoryBlobs()];
    const openGraph = () => expect.fail("Graph was called");
    const [audit, translator] = [memoryAuditLog(), appTranslator(openGraph)];
    const handler = startRestore({ clientOf, openGraph, translator, vault, work, state: work, audit, window: 3 });

    const answer = await ask((request, context) => handler(request, context, { id: OPERATOR, roles: ROLES }), {
      method: "POST",
      body: { reason, ...body },
    });

    expect(answer).toMatchObject({
      status: 400,
      body: { type: "/problems/invalid-request", errors: [{ field }] },
    });
    expect(started).toEqual([]);
  });
});

describe("the audit log of a list", () => {
  test("says who asks before the job starts, and what each restore is for before that may begin", async () => {
    const seen: unknown[] = [];
    const hub = aFakeHub();
    const audit: AuditLog = {
      append: async (series, entry) => {
        const isStarted = hub.started.length > 0;
        seen.push([series, isStarted, isStarted && (await listed()).length > 0, entry]);
      },
    };
    const { post, resolve, listed, mailbox, bo } = await anApi({ audit, hub });
    const { body } = await post({ restores: [{ mailbox: UPN }, { mailbox: UPN, target: toBo }], select: all });
    await resolve();

    const { job, restores } = Accepted.parse(body);
    const common = { principal: OPERATOR, reason, dryRun: false };
    const [first, second] = restores.map((restore) => ({ ...common, list: job, job: restore.job }));
    expect(seen).toMatchObject([
      ["restores", false, false, { event: "restore-list-requested", ...common, job, restores: 2 }],
      ["restores", true, false, { event: "restore-requested", ...first, mailbox: mailbox.key }],
      ["restores", true, false, { event: "restore-requested", ...second, mailbox: mailbox.key, into: bo.key }],
    ]);
  });

  test("lets nothing start when it cannot be written: the answer is 503", async () => {
    const audit: AuditLog = { append: () => Promise.reject(new Error("The container is gone")) };
    const { post, started, work } = await anApi({ audit });
    const before = work.blobs.size;

    expect(await post({ restores: [{ mailbox: UPN }], select: all })).toMatchObject({
      status: 503,
      body: { type: "/problems/audit-unavailable" },
    });
    expect([started, work.blobs.size]).toEqual([[], before]);
  });

  test("lets no restore begin when the line of one cannot be written", async () => {
    const log = memoryAuditLog();
    const audit: AuditLog = {
      append: (series, entry) =>
        entry.event === "restore-requested" ? Promise.reject(new Error("gone")) : log.append(series, entry),
    };
    const { post, resolve, listed } = await anApi({ audit });
    await post({ restores: [{ mailbox: UPN }], select: all });

    await expect(resolve()).rejects.toThrow("gone");
    expect(await listed()).toEqual([]);
  });
});
