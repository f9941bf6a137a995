import { describe, expect, test } from "vitest";
import { startRestore } from "../../../../functions/restore/request/start-restore.http.ts";
import { RestoreMailboxInput } from "../../../../functions/restore/restore.contract.ts";
import { readSelection } from "../../../../functions/restore/restore-state.ts";
import type { AuditLog } from "../../../../shared/audit/audit-log.ts";
import { ExchangeIdFormat } from "../../../../shared/contracts/id-formats.ts";
import { translateExchangeIds } from "../../../../shared/graph/translate-ids.ts";
import { guardOf } from "../../../../shared/http/guard.ts";
import { principalOf } from "../../../../shared/security/principal.ts";
import { UPN } from "../../../local/graph/kit.ts";
import { memoryAuditLog } from "../../../shared/audit/memory-audit-log.ts";
import { aPrincipalHeader } from "../../../shared/security/a-principal.ts";
import { aFakeHub, ask, PROBLEM } from "../../fake-hub.ts";
import { anotherMailbox, aRestoreId, BO } from "../../kit.ts";
import { aRestore } from "../a-restore.ts";

const operating = (deps: Parameters<typeof startRestore>[0]) =>
  guardOf(principalOf("platform"))(["Restore.Operator"], startRestore(deps));

const anApi = async (overrides: { audit?: AuditLog; roles?: string[] } = {}) => {
  const kit = await aRestore({ items: 2 });
  const hub = aFakeHub();
  const audit = memoryAuditLog();
  const handler = operating({ ...kit, ...hub, audit, window: 3, ...overrides });
  const headers = aPrincipalHeader({ id: OPERATOR, roles: overrides.roles ?? ["Restore.Operator"] });
  const post = (body: unknown) => ask(handler, { method: "POST", headers, body });
  const audited = () => [...audit.blobs.values()].map((line): unknown => JSON.parse(line));
  return { ...kit, ...hub, post, audit, audited };
};

const OPERATOR = "0a0a0a0a-1111-4222-8333-444444444444";

const OPERATOR_ONLY = aPrincipalHeader({ id: OPERATOR, roles: ["Restore.Operator"] });
const CROSSING = ["Restore.Operator", "Restore.CrossMailbox"];

const all = { all: true };
const reason = "ticket 4711";

describe("POST /api/restores", () => {
  test("starts a restore of the newest snapshot into a new folder, and answers with its location", async () => {
    const { post, started, mailbox, snapshotId } = await anApi();

    const { status, headers, body, text } = await post({ mailbox: UPN, select: all, reason });

    const [job] = started;
    expect(status).toBe(202);
    expect(job?.instanceId).toMatch(/^restore-\d{8}T\d{6}Z-[a-z2-7]{6}$/);
    expect(headers).toMatchObject({ location: `/api/jobs/${job?.instanceId}` });
    expect(body).toMatchObject({ job: job?.instanceId, mailbox: mailbox.key, snapshot: snapshotId });
    expect(job).toMatchObject({
      name: "restore-mailbox",
      input: { mailbox, snapshotId, select: all, target: "new-folder", dryRun: false },
    });
    expect(text).not.toMatch(/webhooks|code=/);
  });

  test("passes the request's fields on to the job", async () => {
    const { post, started, mailbox, snapshotId } = await anApi();
    const spec = { snapshot: snapshotId, select: { folders: ["Inbox"] }, target: "original", dryRun: true };

    expect((await post({ mailbox: mailbox.key, reason, ...spec })).status).toBe(202);
    expect(started[0]?.input).toMatchObject({ snapshotId, target: "original", dryRun: true });
  });

  test("starts a restore of its own at each call", async () => {
    const { post, started } = await anApi();
    await post({ mailbox: UPN, select: all, reason });
    await post({ mailbox: UPN, select: all, reason });

    expect(new Set(started.map(({ instanceId }) => instanceId)).size).toBe(2);
  });

  test.each([
    "",
    "no JSON",
    { mailbox: UPN, reason },
    { select: all, reason },
    { mailbox: "", select: all, reason },
    { mailbox: UPN, select: { all: false }, reason },
    { mailbox: UPN, select: { folders: [] }, reason },
    { mailbox: UPN, select: { all: true, folders: ["Inbox"] }, reason },
    { mailbox: UPN, select: all, target: "elsewhere", reason },
    { mailbox: UPN, select: all, snapshot: "yesterday", reason },
    { mailbox: UPN, select: all, onConflict: "merge", reason },
    { mailbox: UPN, select: all, reason, surprise: 1 },
    { mailbox: UPN, select: all },
    { mailbox: UPN, select: all, reason: " " },
    { mailbox: UPN, select: all, reason: "x".repeat(501) },
    { mailbox: UPN, select: all, reason: 1 },
    { mailbox: UPN, select: all, at: "yesterday", reason },
    { mailbox: UPN, select: all, at: "2026-11-22", snapshot: "20261122T010000Z-abc234", reason },
    { mailbox: UPN, select: all, target: { mailbox: "" }, reason },
    { mailbox: UPN, select: all, target: { mailbox: BO, folders: "elsewhere" }, reason },
    { mailbox: UPN, select: { kept: true }, reason },
    { mailbox: UPN, select: { folders: ["Inbox"], children: "no" }, reason },
    { mailbox: UPN, select: { items: [] }, reason },
    { mailbox: UPN, select: { items: Array.from({ length: 1_001 }, (_, n) => `${n}`) }, reason },
    { mailbox: UPN, select: { query: {} }, reason },
    { mailbox: UPN, select: { query: { q: "" } }, reason },
    { mailbox: UPN, select: { query: { sender: "ada" } }, reason },
    { mailbox: UPN, select: { query: { from: "2026-11-22", to: "2026-11-21" } }, reason },
    { mailbox: UPN, select: { query: { removedSince: "monday" } }, reason },
    { plan: "no job", reason },
    { plan: "restore-20261122T093000Z-xyz567" },
    { plan: "restore-20261122T093000Z-xyz567", mailbox: UPN, reason },
    { plan: "restore-20261122T093000Z-xyz567", dryRun: true, reason },
  ])("answers 400 for the body %j, and starts nothing", async (body) => {
    const { post, started, audited } = await anApi();

    expect(await post(body)).toMatchObject({
      status: 400,
      headers: PROBLEM,
      body: { type: "/problems/invalid-request" },
    });
    expect([started, audited()]).toEqual([[], []]);
  });

  test.each([
    ["mailbox-not-found", { mailbox: "nobody@contoso.example", select: all, reason }],
    ["snapshot-not-found", { mailbox: UPN, select: all, snapshot: "20200101T000000Z-abc234", reason }],
    ["snapshot-not-found", { mailbox: UPN, select: all, at: "2020-01-01", reason }],
    ["snapshot-not-found", { mailbox: UPN, select: { query: { removedSince: "2020-01-01" } }, reason }],
    ["target-not-found", { mailbox: UPN, select: all, target: { mailbox: "nobody@contoso.example" }, reason }],
    ["folder-not-found", { mailbox: UPN, select: { folders: ["Inbox", "Nowhere"] }, reason }],
    ["folder-not-found", { mailbox: UPN, select: { query: { folder: "Nowhere" } }, reason }],
    ["plan-not-found", { plan: "restore-20200101T000000Z-abc234", reason }],
  ])("answers 404 %s", async (kind, body) => {
    const { post, started, audited } = await anApi();

    const answer = await post(body);

    expect(answer).toMatchObject({ status: 404, headers: PROBLEM, body: { type: `/problems/${kind}` } });
    if (kind === "folder-not-found") expect(answer.body).toMatchObject({ folder: "Nowhere" });
    expect([started, audited()]).toEqual([[], []]);
  });

  test("answers 404 for a mailbox that was never backed up", async () => {
    const { post, vault } = await anApi();
    vault.blobs.clear();

    expect(await post({ mailbox: UPN, select: all, reason })).toMatchObject({
      status: 404,
      body: { type: "/problems/snapshot-not-found" },
    });
  });
});

describe("the audit log", () => {
  test("says who asked for which restore, when and why, and names no mailbox by its address", async () => {
    const { post, started, audit, audited, mailbox, snapshotId, folderId } = await anApi();
    const spec = { select: { folders: ["Inbox"] }, target: "original", dryRun: true, reason: " lost\nby mistake " };
    await post({ mailbox: UPN, ...spec });

    expect(audited()).toEqual([
      {
        v: 1,
        event: "restore-requested",
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        principal: OPERATOR,
        job: started[0]?.instanceId,
        mailbox: mailbox.key,
        snapshot: snapshotId,
        selection: { kind: "folders", count: 1, ids: [await folderId()] },
        target: "original",
        onConflict: "skip",
        dryRun: true,
        reason: "lost\nby mistake",
      },
    ]);
    expect([...audit.blobs].join()).not.toContain("@");
  });

  test("has its line before anything starts", async () => {
    const seen: number[] = [];
    const audit: AuditLog = { append: async () => void seen.push(started.length) };
    const { post, started } = await anApi({ audit });
    await post({ mailbox: UPN, select: all, reason });

    expect([seen, started.length]).toEqual([[0], 1]);
  });

  test("lets nothing start when it cannot be written: the answer is 503", async () => {
    const audit: AuditLog = { append: () => Promise.reject(new Error("The container is gone")) };
    const { post, started } = await anApi({ audit });

    const { status, headers, body } = await post({ mailbox: UPN, select: all, reason });

    expect({ status, headers, body }).toMatchObject({
      status: 503,
      headers: PROBLEM,
      body: { type: "/problems/audit-unavailable" },
    });
    expect(started).toEqual([]);
  });
});

const snapshotOf = (input: unknown): string => RestoreMailboxInput.parse(input).snapshotId;

describe("POST /api/restores, of folders, of items and by query", () => {
  test("keeps the selection out of the history: ids are many, and paths and queries may name people", async () => {
    const { post, started, items, work } = await anApi();
    const [one] = await items();
    const selections = [
      { folders: ["Inbox"], children: false },
      { items: [one?.id ?? ""] },
      { query: { q: "ada.berg@contoso.example" } },
    ];

    for (const select of selections) expect((await post({ mailbox: UPN, select, reason })).status).toBe(202);

    for (const [n, { input }] of started.entries()) {
      const { restoreId, select } = RestoreMailboxInput.parse(input);
      expect(select).toEqual({ kept: true });
      expect(await readSelection(work, restoreId, select)).toEqual(selections[n]);
    }
  });

  test("names the positions of ids that the snapshot does not have", async () => {
    const { post, started, items } = await anApi();
    const ids = (await items()).map(({ id }) => id);

    const answer = await post({ mailbox: UPN, select: { items: ["AAMk-none", ...ids, "AAMk-neither"] }, reason });

    expect(answer).toMatchObject({
      status: 404,
      headers: PROBLEM,
      body: { type: "/problems/item-not-found", positions: [0, 3] },
    });
    expect(started).toEqual([]);
  });

  test("takes one item by both of its ids", async () => {
    const { post, items } = await anApi();
    const [one] = await items();
    const ews = one?.id.replaceAll("-", "/").replaceAll("_", "+") ?? "";

    expect((await post({ mailbox: UPN, select: { items: [one?.id, ews] }, reason })).status).toBe(202);
  });
});

describe("POST /api/restores, of items by ids of other formats", () => {
  /** The ids of the mailbox's items in a format. */
  const idsOf = async (api: Awaited<ReturnType<typeof anApi>>, format: ExchangeIdFormat) => {
    const restIds = (await api.items()).map(({ id }) => id);
    if (format === "restId") return { restIds, ids: restIds };
    const graph = api.openGraph({ untilMs: Date.now() + 600_000 });
    const formats = { from: "restId", to: format } as const;
    const outcomes = await translateExchangeIds(graph, api.mailbox.userId, restIds, formats);
    return { restIds, ids: outcomes.map((outcome) => ("translated" in outcome ? outcome.translated : "none")) };
  };

  const kept = async ({ work, started }: Awaited<ReturnType<typeof anApi>>) => {
    const { restoreId, select } = RestoreMailboxInput.parse(started[0]?.input);
    return readSelection(work, restoreId, select);
  };

  test.each(ExchangeIdFormat.options)(
    "translates ids in the named format %s into REST ids, as the vault stores them",
    async (format) => {
      const api = await anApi();
      const { restIds, ids } = await idsOf(api, format);

      expect((await api.post({ mailbox: UPN, select: { items: ids, format }, reason })).status).toBe(202);
      expect(await kept(api)).toEqual({ items: restIds });
    },
  );

  test("recognizes entry ids by their shape", async () => {
    const api = await anApi();
    const { restIds, ids } = await idsOf(api, "entryId");

    expect((await api.post({ mailbox: UPN, select: { items: ids }, reason })).status).toBe(202);
    expect(await kept(api)).toEqual({ items: restIds });
  });

  test("names the positions of ids that Graph does not know any more", async () => {
    const api = await anApi();
    const { restIds, ids } = await idsOf(api, "entryId");
    await api.admin["remove-item"]({ mailbox: api.mailbox.id, item: restIds[1] ?? "" });

    const byEntry = await api.post({ mailbox: UPN, select: { items: ids }, reason });
    expect(byEntry).toMatchObject({ status: 404, body: { type: "/problems/item-not-found", positions: [1] } });
    expect((await api.post({ mailbox: UPN, select: { items: restIds }, reason })).status).toBe(202);
  });

  test("translates ids in a list of restores too, and names the position of a restore that it refuses", async () => {
    const api = await anApi();
    const { ids } = await idsOf(api, "ewsId");
    const restores = [
      { items: ids, format: "ewsId" },
      { items: ["no id"], format: "ewsId" },
    ].map((select) => ({
      mailbox: UPN,
      select,
    }));

    expect(await api.post({ restores, reason })).toMatchObject({
      status: 400,
      body: { refused: [{ position: 1, type: "/problems/malformed-ids", positions: [0] }] },
    });
    expect((await api.post({ restores: restores.slice(0, 1), reason })).status).toBe(202);
  });

  test("refuses ids that cannot be of their format, before Graph is asked", async () => {
    const { post, started, admin } = await anApi();
    const answer = await post({ mailbox: UPN, select: { items: ["AAAA", "no id"], format: "restId" }, reason });

    expect(answer).toMatchObject({ status: 400, body: { type: "/problems/malformed-ids", positions: [1] } });
    expect((await admin.counters({})).requests).not.toHaveProperty("translate-ids");
    expect(started).toEqual([]);
  });
});

describe("POST /api/restores, of a snapshot", () => {
  const ofTwo = async () => {
    const api = await anApi();
    await api.admin["create-items"]({ mailbox: api.mailbox.id, folder: "inbox", count: 1 });
    const { snapshotId: second } = await api.backUp();
    const [year, month, day, hour, minute] = [0, 4, 6, 9, 11].map((at, n) => second.slice(at, at + (n === 0 ? 4 : 2)));
    const begun = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`);
    const at = (ms: number): string => new Date(begun + ms).toISOString();
    return { ...api, second, at };
  };

  test("restores from the newest, or from the newest that had begun by a moment", async () => {
    const { post, started, snapshotId, second, at } = await ofTwo();

    await post({ mailbox: UPN, select: all, reason });
    await post({ mailbox: UPN, select: all, at: at(0), reason });
    await post({ mailbox: UPN, select: all, at: at(-1), reason });

    expect(started.map(({ input }) => snapshotOf(input))).toEqual([second, second, snapshotId]);
  });

  test("restores from that of the moment since which items were removed, unless one is named", async () => {
    const { post, started, snapshotId, second, at } = await ofTwo();
    const select = { query: { removedSince: at(-1) } };

    await post({ mailbox: UPN, select, reason });
    await post({ mailbox: UPN, select, snapshot: second, reason });

    expect(started.map(({ input }) => snapshotOf(input))).toEqual([snapshotId, second]);
  });
});

describe("POST /api/restores, into another mailbox", () => {
  test.each([
    [undefined, "new-folder"],
    ["original", "original"],
  ])("resolves it, with folders %s", async (folders, target) => {
    const api = await anApi({ roles: CROSSING });
    const into = await anotherMailbox(api);

    const spec = { mailbox: BO, ...(folders && { folders }) };
    const { body, text } = await api.post({ mailbox: UPN, select: all, target: spec, onConflict: "replace", reason });

    expect(body).toMatchObject({ mailbox: api.mailbox.key, into: into.key });
    expect(api.started[0]?.input).toMatchObject({ mailbox: api.mailbox, into, target, onConflict: "replace" });
    expect(text + JSON.stringify(api.started)).not.toContain("@contoso.example");
  });

  test("needs a role of its own, and audits both mailboxes", async () => {
    const [operator, crossing] = [await anApi(), await anApi({ roles: CROSSING })];
    for (const api of [operator, crossing]) await anotherMailbox(api);
    const body = { mailbox: UPN, select: all, target: { mailbox: BO }, reason };

    expect(await operator.post(body)).toMatchObject({ status: 403, body: { type: "/problems/role-missing" } });
    expect([operator.started, operator.audited()]).toEqual([[], []]);
    expect((await crossing.post(body)).status).toBe(202);
    expect(crossing.audited()).toMatchObject([
      { mailbox: crossing.mailbox.key, into: expect.stringMatching(/^[a-z2-7]{26}$/) },
    ]);
  });

  test("takes the mailbox itself as a target, without a second one", async () => {
    const { post, started } = await anApi();

    await post({ mailbox: UPN, select: all, target: { mailbox: UPN, folders: "original" }, reason });

    expect(started[0]?.input).toMatchObject({ target: "original" });
    expect(started[0]?.input).not.toHaveProperty("into");
  });
});

describe("POST /api/restores, with a plan", () => {
  const job = `restore-${aRestoreId}`;

  /** A dry run that has completed, as its job and its scratch data show it. */
  const reviewed = async (status: Record<string, unknown> = {}) => {
    const api = await anApi();
    const source = { restoreId: aRestoreId, mailbox: api.mailbox, snapshotId: api.snapshotId, select: all };
    const input = { ...source, target: "new-folder", onConflict: "skip", dryRun: true };
    await api.plan({ target: "new-folder" });
    const hub = aFakeHub({ [job]: { name: "restore-mailbox", runtimeStatus: "Completed", input, ...status } });
    const handler = operating({ ...api, ...hub, window: 3 });
    const post = (body: unknown) => ask(handler, { method: "POST", headers: OPERATOR_ONLY, body });
    return { ...api, ...hub, input, post };
  };

  test("carries out the plan that was reviewed", async () => {
    const { post, started, input, mailbox, snapshotId } = await reviewed();

    const { status, body } = await post({ plan: job, reason: "Asked for by the person" });

    const [restore] = started;
    const { restoreId } = RestoreMailboxInput.parse(restore?.input);
    expect([status, body]).toMatchObject([
      202,
      { job: restore?.instanceId, mailbox: mailbox.key, snapshot: snapshotId },
    ]);
    expect(restoreId).not.toBe(aRestoreId);
    expect(restore?.input).toEqual({ ...input, restoreId, dryRun: false, planOf: aRestoreId, exclusive: true });
  });

  test("audits who carries it out, and why", async () => {
    const { post, started, audited, mailbox, snapshotId } = await reviewed();

    await post({ plan: job, reason: "Asked for by the person" });

    expect(audited()).toMatchObject([
      {
        principal: OPERATOR,
        job: started[0]?.instanceId,
        mailbox: mailbox.key,
        snapshot: snapshotId,
        selection: { kind: "plan", ids: [job] },
        dryRun: false,
        reason: "Asked for by the person",
      },
    ]);
    expect(JSON.stringify(started)).not.toContain("Asked for");
  });

  test("needs the role for another mailbox, as the dry run did", async () => {
    const into = { key: "b".repeat(26), id: "MBX:1@2", kind: "primary", userId: "bo" };
    const { input } = await reviewed();
    const { post, started, audited } = await reviewed({ input: { ...input, into } });

    expect(await post({ plan: job, reason })).toMatchObject({ status: 403, body: { type: "/problems/role-missing" } });
    expect([started, audited()]).toEqual([[], []]);
  });

  test("carries a plan out once, and names the job that does", async () => {
    const { post, started } = await reviewed();

    await post({ plan: job, reason });
    const again = await post({ plan: job, reason });

    expect(again).toMatchObject({
      status: 409,
      body: { type: "/problems/plan-carried-out", job: started[0]?.instanceId },
    });
    expect(started).toHaveLength(1);
  });

  test("starts the restore of an earlier call that claimed the plan and did not start it", async () => {
    const { post, started, work } = await reviewed();
    const claimed = "20261122T110000Z-abc234";
    await work.create(`restore-${aRestoreId}/carried-out-by.json`, Buffer.from(JSON.stringify(claimed)));

    expect((await post({ plan: job, reason })).status).toBe(202);
    expect(started[0]?.instanceId).toBe(`restore-${claimed}`);
  });

  test.each([
    ["is running", { runtimeStatus: "Running" }],
    ["has failed", { runtimeStatus: "Failed" }],
    ["is a backup", { name: "backup-mailbox", input: {} }],
  ])("answers 409 for a job that %s", async (_, status) => {
    const { post, started } = await reviewed(status);

    expect(await post({ plan: job, reason })).toMatchObject({ status: 409, body: { type: "/problems/no-plan" } });
    expect(started).toEqual([]);
  });

  test("answers 409 for a restore that was not a dry run", async () => {
    const { input } = await reviewed();
    const { post } = await reviewed({ input: { ...input, dryRun: false } });

    expect(await post({ plan: job, reason })).toMatchObject({ status: 409, body: { type: "/problems/no-plan" } });
  });

  test("answers 410 for a plan whose snapshot was removed since", async () => {
    const { post, vault, mailbox, snapshotId, started } = await reviewed();
    await vault.remove(`${mailbox.key}/snapshots/${snapshotId}.manifest.json`);

    expect(await post({ plan: job, reason })).toMatchObject({
      status: 410,
      body: { type: "/problems/snapshot-removed" },
    });
    expect(started).toEqual([]);
  });

  test("answers 410 for a plan whose scratch data is gone, or is about to expire", async () => {
    const { post, work, started } = await reviewed();
    const name = `restore-${aRestoreId}/plan.json`;
    const text = String(work.blobs.get(name)?.body);
    await work.remove(name);
    expect(await post({ plan: job, reason })).toMatchObject({ status: 410, body: { type: "/problems/plan-expired" } });

    const old = { ...JSON.parse(text), started: "2020-01-01T00:00:00Z" };
    await work.create(name, Buffer.from(JSON.stringify(old)));
    expect(await post({ plan: job, reason })).toMatchObject({ status: 410, body: { type: "/problems/plan-expired" } });
    expect(started).toEqual([]);
  });
});
