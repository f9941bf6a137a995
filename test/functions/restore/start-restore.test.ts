import { describe, expect, test } from "vitest";
import { startRestore } from "../../../functions/restore/start-restore.http.ts";
import type { AuditLog } from "../../../shared/audit/audit-log.ts";
import { requiringRoleOf } from "../../../shared/http/requiring-role.ts";
import { principalOf } from "../../../shared/security/principal.ts";
import { UPN } from "../../local/graph/kit.ts";
import { memoryAuditLog } from "../../shared/audit/memory-audit-log.ts";
import { aPrincipalHeader } from "../../shared/security/a-principal.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aRestore } from "./a-restore.ts";

const anApi = async (overrides: { audit?: AuditLog } = {}) => {
  const kit = await aRestore({ items: 2 });
  const hub = aFakeHub();
  const audit = memoryAuditLog();
  const handler = requiringRoleOf(principalOf("platform"))(
    "Restore.Operator",
    startRestore({ ...kit, ...hub, audit, ...overrides }),
  );
  const headers = aPrincipalHeader({ id: OPERATOR, roles: ["Restore.Operator"] });
  const post = (body: unknown) => ask(handler, { method: "POST", headers, body });
  const audited = () => [...audit.blobs.values()].map((line): unknown => JSON.parse(line));
  return { ...kit, ...hub, post, audit, audited };
};

const OPERATOR = "0a0a0a0a-1111-4222-8333-444444444444";

const all = { all: true };
const reason = "ticket 4711";

describe("POST /api/restores", () => {
  test("starts a restore of the newest snapshot into a new folder, and says where to look", async () => {
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

  test("passes on what was asked for", async () => {
    const { post, started, mailbox, snapshotId } = await anApi();
    const wishes = { snapshot: snapshotId, select: { folders: ["Inbox"] }, target: "original", dryRun: true };

    expect((await post({ mailbox: mailbox.key, reason, ...wishes })).status).toBe(202);
    expect(started[0]?.input).toMatchObject({ snapshotId, select: wishes.select, target: "original", dryRun: true });
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
    ["folder-not-found", { mailbox: UPN, select: { folders: ["Inbox", "Nowhere"] }, reason }],
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
    const wishes = { select: { folders: ["Inbox"] }, target: "original", dryRun: true, reason: " lost\nby mistake " };
    await post({ mailbox: UPN, ...wishes });

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
    const audit: AuditLog = { restoreRequested: async () => void seen.push(started.length) };
    const { post, started } = await anApi({ audit });
    await post({ mailbox: UPN, select: all, reason });

    expect([seen, started.length]).toEqual([[0], 1]);
  });

  test("that takes no line lets nothing start: the answer is 503", async () => {
    const audit: AuditLog = { restoreRequested: () => Promise.reject(new Error("The container is gone")) };
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
