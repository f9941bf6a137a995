import { describe, expect, test } from "vitest";
import { ExportPersonalDataInput } from "../../../functions/personal-data/personal-data.contract.ts";
import { startPersonalDataExport } from "../../../functions/personal-data/start-personal-data-export.http.ts";
import type { AuditLog } from "../../../shared/audit/audit-log.ts";
import { guardOf } from "../../../shared/http/guard.ts";
import { principalOf } from "../../../shared/security/principal.ts";
import { UPN } from "../../local/graph/kit.ts";
import { memoryAuditLog } from "../../shared/audit/memory-audit-log.ts";
import { aPrincipalHeader } from "../../shared/security/a-principal.ts";
import { writeHistory } from "../browse/a-vault.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aMailboxInGraph } from "../kit.ts";

const OFFICER = "0a0a0a0a-1111-4222-8333-444444444444";
const HEADERS = aPrincipalHeader({ id: OFFICER, roles: ["Privacy.Officer", "Restore.Operator"] });
const OFFICER_ALONE = aPrincipalHeader({ id: OFFICER, roles: ["Privacy.Officer"] });
const DAY_MS = 86_400_000;
const reason = "request 42 of the data subject";
const JOB = /^personal-data-\d{8}T\d{6}Z-[a-z2-7]{6}$/;

const anApi = async (overrides: { audit?: AuditLog } = {}) => {
  const kit = await aMailboxInGraph({ items: 0 });
  const hub = aFakeHub();
  const audit = memoryAuditLog();
  const deps = { ...kit, ...hub, audit, archives: false, timeoutMs: 7 * DAY_MS, ...overrides };
  const handler = guardOf(principalOf("platform"))(["Privacy.Officer"], startPersonalDataExport(deps));
  const post = (body: unknown, headers = HEADERS) => ask(handler, { method: "POST", headers, body });
  const audited = () =>
    [...audit.blobs.values()].flatMap((text) =>
      text
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    );
  return { ...kit, ...hub, post, audited };
};

const jobIn = ({ body }: { body: unknown }): string => String(Object(body).job);

describe("POST /api/personal-data-exports", () => {
  test("starts an export of a person by name, and answers with its location", async () => {
    const { post, started, mailbox } = await anApi();

    const asked = Date.now();
    const { status, headers, body, text } = await post({ user: UPN, reason });

    const [job] = started;
    expect(status).toBe(202);
    expect(job).toMatchObject({ name: "export-personal-data", instanceId: expect.stringMatching(JOB) });
    expect(headers).toMatchObject({ location: `/api/personal-data-exports/${job?.instanceId}` });
    expect(body).toMatchObject({ job: job?.instanceId, mailboxes: [] });
    const input = ExportPersonalDataInput.parse(job?.input);
    expect(input).toMatchObject({ userId: mailbox.userId, mailboxes: [] });
    expect(`personal-data-${input.exportId}`).toBe(job?.instanceId);
    expect(Date.parse(input.until)).toBeGreaterThanOrEqual(asked + 7 * DAY_MS);
    expect(Date.parse(input.until)).toBeLessThanOrEqual(Date.now() + 7 * DAY_MS);
    expect(`${text} ${JSON.stringify(job)}`).not.toContain(UPN);
  });

  test("includes the newest snapshot of the person's mailbox", async () => {
    const { post, started, mailbox, vault } = await anApi();
    await writeHistory(vault, [[[]]], { mailboxKey: mailbox.key });

    expect((await post({ user: mailbox.userId, reason, includeMailbox: true })).body).toMatchObject({
      mailboxes: [mailbox.key],
    });
    expect(started[0]?.input).toMatchObject({ mailboxes: [mailbox.key] });
  });

  test("leaves the mailbox out to who may not restore it", async () => {
    const { post, started, mailbox, vault } = await anApi();
    await writeHistory(vault, [[[]]], { mailboxKey: mailbox.key });

    const refused = await post({ user: UPN, reason, includeMailbox: true }, OFFICER_ALONE);
    expect(refused).toMatchObject({ status: 403, body: { roles: ["Restore.Operator"] } });
    expect(started).toEqual([]);
    expect((await post({ user: UPN, reason }, OFFICER_ALONE)).status).toBe(202);
  });

  test("audits who asked for whose data, and why, before anything starts", async () => {
    const seen: unknown[] = [];
    const audit: AuditLog = {
      append: async (_, entry) => void seen.push([entry, started.length]),
    };
    const { post, started, mailbox } = await anApi({ audit });
    const job = jobIn(await post({ user: UPN, reason }));

    expect(seen).toEqual([
      [
        {
          event: "personal-data-requested",
          at: expect.any(String),
          principal: OFFICER,
          job,
          user: mailbox.userId,
          mailboxes: [],
          reason,
        },
        0,
      ],
    ]);
  });

  test("is 503 when the audit log cannot be written, starts nothing, and releases the person", async () => {
    let isDown = true;
    const audit: AuditLog = {
      append: async () => {
        if (isDown) throw new Error("The container is gone");
      },
    };
    const { post, started } = await anApi({ audit });

    expect(await post({ user: UPN, reason })).toMatchObject({ status: 503, headers: PROBLEM });
    expect(started).toEqual([]);
    isDown = false;
    expect((await post({ user: UPN, reason })).status).toBe(202);
  });

  test.each([
    "",
    "no JSON",
    {},
    { user: UPN },
    { reason },
    { user: "", reason },
    { user: 1, reason },
    { user: "x".repeat(321), reason },
    { user: "\ud800", reason },
    { user: "..", reason },
    { user: UPN, reason: " " },
    { user: UPN, reason: "x".repeat(501) },
    { user: UPN, reason, includeMailbox: "yes" },
    { user: UPN, reason, surprise: 1 },
  ])("answers 400 for the body %j, and starts nothing", async (body) => {
    const { post, started, audited } = await anApi();

    expect(await post(body)).toMatchObject({
      status: 400,
      headers: PROBLEM,
      body: { type: "/problems/invalid-request" },
    });
    expect([started, audited()]).toEqual([[], []]);
  });

  test.each(["nobody@contoso.example", "../users", "a\u0000\r\nb: c", "é".repeat(300)])(
    "is 404 for the user %j",
    async (user) => {
      const { post, started } = await anApi();

      expect(await post({ user, reason })).toMatchObject({ status: 404, body: { type: "/problems/user-not-found" } });
      expect(started).toEqual([]);
    },
  );

  test("is 404 when the mailbox is wanted and not in the vault", async () => {
    const { post, audited } = await anApi();

    expect(await post({ user: UPN, reason, includeMailbox: true })).toMatchObject({
      status: 404,
      body: { type: "/problems/snapshot-not-found" },
    });
    expect(audited()).toEqual([]);
  });

  describe("while an export of the same person runs", () => {
    test.each(["Pending", "Running", "Suspended"])("is 409 with its id when it is %s", async (state) => {
      const { post, started, mailbox, end, audited } = await anApi();
      const job = jobIn(await post({ user: UPN, reason }));
      end(job, state);

      expect(await post({ user: mailbox.userId.toUpperCase(), reason })).toMatchObject({
        status: 409,
        body: { type: "/problems/already-running", job, location: `/api/personal-data-exports/${job}` },
      });
      expect([started.length, audited().length]).toEqual([1, 1]);
    });

    test("one of many requests at the same time starts it, and the others name its job", async () => {
      const { post, started } = await anApi();
      const answers = await Promise.all(Array.from({ length: 5 }, () => post({ user: UPN, reason })));

      expect(started).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
      expect(new Set(answers.map(jobIn))).toEqual(new Set([started[0]?.instanceId]));
    });

    test("an export of another person can start", async () => {
      const { post, admin } = await anApi();
      await admin["add-user"]({ userPrincipalName: "bo@contoso.example" });

      expect((await post({ user: UPN, reason })).status).toBe(202);
      expect((await post({ user: "bo@contoso.example", reason })).status).toBe(202);
    });
  });

  test.each(["Completed", "Failed", "Terminated"])("starts another once the last one is %s", async (state) => {
    const { post, started, end } = await anApi();
    end(jobIn(await post({ user: UPN, reason })), state);

    expect((await post({ user: UPN, reason })).status).toBe(202);
    expect(started).toHaveLength(2);
  });

  test("has no person's id in the name of a blob", async () => {
    const { post, work, mailbox } = await anApi();
    await post({ user: UPN, reason });

    expect(work.blobs.size).toBe(1);
    for (const name of work.blobs.keys()) expect(name).not.toContain(mailbox.userId);
  });
});
