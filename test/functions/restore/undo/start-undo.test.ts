import { describe, expect, test } from "vitest";
import { keepRestorePlan } from "../../../../functions/restore/restore-state.ts";
import { startUndo } from "../../../../functions/restore/undo/start-undo.http.ts";
import type { AuditLog } from "../../../../shared/audit/audit-log.ts";
import { guardOf } from "../../../../shared/http/guard.ts";
import { startsOnce } from "../../../../shared/http/idempotency.ts";
import { principalOf } from "../../../../shared/security/principal.ts";
import { memoryAuditLog } from "../../../shared/audit/memory-audit-log.ts";
import { aPrincipalHeader } from "../../../shared/security/a-principal.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aFakeHub, ask } from "../../fake-hub.ts";
import { aRestoreId } from "../../kit.ts";

const RESTORE = `restore-${aRestoreId}`;
const OPERATOR = "0a0a0a0a-1111-4222-8333-444444444444";
const mailbox = { key: "a".repeat(26), id: "MBX:a@t", kind: "primary", userId: "0b0b0b0b-1111-4222-8333-444444444444" };
const other = { ...mailbox, key: "b".repeat(26), id: "MBX:b@t" };
const order = {
  restoreId: aRestoreId,
  mailbox,
  snapshotId: "20261122T010000Z-abc234",
  select: { all: true },
  target: "new-folder",
  dryRun: false,
};
const body = { reason: "the wrong week" };

/** An API with one restore, which has ended unless said otherwise. */
const anApi = async ({
  state = "Completed",
  input = {},
  isPlanned = true,
  audit = memoryAuditLog(),
  mayDeleteItems = false,
}: {
  state?: string;
  input?: object;
  isPlanned?: boolean;
  audit?: AuditLog;
  mayDeleteItems?: boolean;
} = {}) => {
  const work = memoryBlobs();
  const started = "2026-11-22T09:30:00.000Z";
  const plan = { generation: "g", started, items: 700, present: 0, bytes: 1, chunks: 2, folders: [] };
  if (isPlanned) await keepRestorePlan(work, aRestoreId, plan);
  const restore = { name: "restore-mailbox", runtimeStatus: state, input: { ...order, ...input } };
  const hub = aFakeHub({ [RESTORE]: restore, "backup-tenant": { runtimeStatus: "Completed" } });
  const handler = startsOnce({ work, ...hub })(
    startUndo({ ...hub, work, audit, laneBudgetMs: 60_000, mayDeleteItems }),
  );
  const guarded = guardOf(principalOf("platform"))(["Restore.Operator"], handler);
  const post = ({
    id = RESTORE,
    sent = body as unknown,
    roles = ["Restore.Operator"],
    key = undefined as string | undefined,
  } = {}) =>
    ask(guarded, {
      method: "POST",
      params: { id },
      headers: { ...aPrincipalHeader({ id: OPERATOR, roles }), ...(key && { "idempotency-key": key }) },
      body: sent,
    });
  return { ...hub, post, work };
};

describe("POST /api/restores/{id}/undo", () => {
  test.each(["Completed", "Failed", "Terminated"])("starts a job for a restore that is %s", async (state) => {
    const audit = memoryAuditLog();
    const { post, started } = await anApi({ state, audit });

    const answer = await post({ sent: { ...body, dryRun: true } });

    const job = started[0]?.instanceId ?? "";
    expect(job).toMatch(/^undo-\d{8}T\d{6}Z-[a-z2-7]{6}$/);
    expect(answer).toMatchObject({
      status: 202,
      headers: { location: `/api/jobs/${job}` },
      body: { job, restore: RESTORE, mailbox: mailbox.key },
    });
    expect(started).toEqual([
      {
        name: "undo-restore",
        instanceId: job,
        input: {
          ...{ undoId: job.slice("undo-".length), restoreId: aRestoreId, mailbox, dryRun: true },
          ...{ ownFolder: true, chunks: 2, laneBudgetMs: 60_000 },
        },
      },
    ]);
    expect([...audit.blobs.values()].map((text) => JSON.parse(text))).toEqual([
      {
        ...{ v: 1, event: "undo-requested", at: expect.any(String), principal: OPERATOR, job, restore: RESTORE },
        ...{ mailbox: mailbox.key, dryRun: true, reason: body.reason },
      },
    ]);
  });

  test.each([
    ["where items are to be deleted and the app may not", { input: { target: "original" } }, true],
    ["but not where it may", { input: { target: "original" }, mayDeleteItems: true }, false],
    ["but not for a folder of the restore's own", {}, false],
  ] as const)("says what to grant, %s", async (_, api, isNeeded) => {
    const { post } = await anApi(api);

    const { status, body: answer } = await post();

    expect(status).toBe(202);
    expect(answer).toMatchObject(
      isNeeded
        ? {
            needs: {
              permission: "MailboxItem.ReadWrite.All",
              exchangeRole: "Application MailboxItem.ReadWrite",
              setting: "RESTORE_UNDO_ITEMS",
              documentation: expect.stringContaining("mailboxfolder-delete-items"),
            },
          }
        : {},
    );
    expect("needs" in (answer as object)).toBe(isNeeded);
  });

  test("of a restore into another mailbox needs the role for that, and works in that mailbox", async () => {
    const audit = memoryAuditLog();
    const { post, started } = await anApi({ input: { into: other }, audit });

    expect(await post()).toMatchObject({ status: 403, body: { roles: ["Restore.CrossMailbox"] } });
    const roles = ["Restore.Operator", "Restore.CrossMailbox"];
    expect(await post({ roles })).toMatchObject({ status: 202, body: { mailbox: other.key } });
    expect(started).toMatchObject([{ input: { mailbox: other } }]);
    expect(JSON.parse([...audit.blobs.values()].join(""))).toMatchObject({ mailbox: mailbox.key, into: other.key });
  });

  test.each([
    ["a job that does not exist", { id: "restore-20261122T093000Z-aaaaaa" }, {}, 404, "restore-not-found"],
    ["a job of another kind", { id: "backup-tenant" }, {}, 404, "restore-not-found"],
    ["a list", { id: `restores-${aRestoreId}` }, {}, 404, "restore-not-found"],
    ["a restore that runs", {}, { state: "Running" }, 409, "restore-not-ended"],
    ["a restore that is paused", {}, { state: "Suspended" }, 409, "restore-not-ended"],
    ["a dry run", {}, { input: { dryRun: true } }, 409, "nothing-to-undo"],
    ["a restore without scratch data", {}, { isPlanned: false }, 410, "restore-expired"],
    ["no reason", { sent: {} }, {}, 400, "invalid-request"],
    ["a field that does not exist", { sent: { ...body, force: true } }, {}, 400, "invalid-request"],
  ] as const)("refuses %s", async (_, asked, api, status, kind) => {
    const { post, started } = await anApi(api);

    expect(await post(asked)).toMatchObject({ status, body: { type: `/problems/${kind}` } });
    expect(started).toEqual([]);
  });

  test("that is asked for twice at once starts one job, and names it to the other caller", async () => {
    const { post, started, end } = await anApi();

    const answers = await Promise.all([post(), post()]);

    const job = started[0]?.instanceId ?? "";
    expect(started).toHaveLength(1);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      ...{ type: "/problems/undo-running", job, location: `/api/jobs/${job}` },
    });
    end(job);
    expect(await post()).toMatchObject({ status: 202 });
    expect(started).toHaveLength(2);
  });

  test("with an Idempotency-Key starts one job, however often it is asked for, also when that has ended", async () => {
    const { post, started, end } = await anApi();

    const answers = await Promise.all([post({ key: "4711" }), post({ key: "4711" })]);
    end(started[0]?.instanceId ?? "");
    answers.push(await post({ key: "4711" }));

    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(started).toHaveLength(1);
    expect(await post({ key: "4711", sent: { reason: "another" } })).toMatchObject({ status: 422 });
  });

  test("starts nothing when the audit log cannot be written, and then leaves the restore to another call", async () => {
    const log = memoryAuditLog();
    let isBroken = true;
    const audit: AuditLog = {
      append: (series, entry) => (isBroken ? Promise.reject(new Error("away")) : log.append(series, entry)),
    };
    const { post, started } = await anApi({ audit });

    expect(await post()).toMatchObject({ status: 503, body: { type: "/problems/audit-unavailable" } });
    expect(started).toEqual([]);
    isBroken = false;
    expect(await post()).toMatchObject({ status: 202 });
  });
});
