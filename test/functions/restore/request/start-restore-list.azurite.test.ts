import { describe, expect, test } from "vitest";
import * as z from "zod";
import { appTranslator } from "../../../../functions/id-translation/translator.ts";
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
import { anotherMailbox, BO } from "../../kit.ts";
import { aRestore } from "../a-restore.ts";

const OPERATOR = "0a0a0a0a-1111-4222-8333-444444444444";
const NOBODY = "nobody@contoso.example";
const all = { all: true };
const reason = "ticket 4711";

const Accepted = z.object({
  job: z.string(),
  restores: z.array(z.strictObject({ job: z.string(), mailbox: z.string(), into: z.string(), snapshot: z.string() })),
});

/** Two mailboxes, of which the first was backed up. */
const anApi = async (overrides: { audit?: AuditLog; roles?: string[] } = {}) => {
  const kit = await aRestore({ items: 2 });
  const bo = await anotherMailbox(kit);
  const hub = aFakeHub();
  const audit = memoryAuditLog();
  const { roles = ["Restore.Operator", "Restore.CrossMailbox"], ...deps } = overrides;
  const handler = startRestore({ ...kit, ...hub, audit, window: 3, ...deps });
  const post = (body: object) =>
    ask((request, context) => handler(request, context, { id: OPERATOR, roles }), {
      method: "POST",
      body: { reason, ...body },
    });
  const audited = () =>
    [...audit.blobs.values()].flatMap((blob) =>
      blob
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    );
  /** The list that was started, by the mailbox restored into. */
  const listed = async () => {
    const { listId } = RestoreMailboxesInput.parse(hub.started[0]?.input);
    return (await findRestoreList(kit.work, listId)) ?? [];
  };
  return { ...kit, ...hub, bo, post, audit, audited, listed };
};

const toBo = { mailbox: BO };
const folder = (name: string) => ({ folders: [name] });

describe("POST /api/restores, of a list", () => {
  test("starts one job for all, and names the job of each, in the order of the list", async () => {
    const { post, started, mailbox, bo, snapshotId } = await anApi();

    const { status, headers, body } = await post({
      restores: [
        { mailbox: UPN, select: all },
        { mailbox: mailbox.key, select: folder("Inbox"), target: toBo },
      ],
    });

    const { job, restores } = Accepted.parse(body);
    expect([status, headers["location"]]).toEqual([202, `/api/jobs/${job}`]);
    expect(job).toMatch(/^restores-\d{8}T\d{6}Z-[a-z2-7]{6}$/);
    expect(restores).toMatchObject([
      { mailbox: mailbox.key, into: mailbox.key, snapshot: snapshotId },
      { mailbox: mailbox.key, into: bo.key, snapshot: snapshotId },
    ]);
    expect(started).toEqual([
      {
        name: "restore-mailboxes",
        instanceId: job,
        input: { listId: job.slice("restores-".length), restores: 2, mailboxes: 2, window: 3 },
      },
    ]);
  });

  test("has defaults for entries that lack a field", async () => {
    const { post, listed, mailbox, bo, snapshotId, work } = await anApi();
    const own = { snapshot: snapshotId, select: folder("Inbox"), target: "original", onConflict: "duplicate" };

    await post({
      restores: [{ mailbox: UPN }, { mailbox: UPN, ...own }],
      ...{ at: "2999-01-01", select: all, target: toBo, onConflict: "replace", dryRun: true },
    });

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
    const { post, listed, mailbox, bo } = await anApi();

    const { body } = await post({
      restores: [
        { mailbox: UPN, priority: "low", onConflict: "replace" },
        { mailbox: UPN },
        { mailbox: UPN, target: toBo, priority: "high" },
        { mailbox: UPN, target: { ...toBo, folders: "original" }, priority: "low" },
      ],
      select: all,
    });

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
    const { post, started } = await anApi();
    await post({ restores: [{ mailbox: UPN, select: folder("Inbox") }] });

    expect(JSON.stringify(started)).not.toMatch(/MBX|contoso|Inbox/);
  });
});

describe("POST /api/restores, of a list that is refused", () => {
  test("starts nothing, and has the problem of each position that cannot start", async () => {
    const { post, started, audited, work } = await anApi();
    const before = work.blobs.size;

    const answer = await post({
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

    expect(answer).toMatchObject({
      status: 404,
      headers: PROBLEM,
      body: {
        type: "/problems/list-refused",
        refused: [
          { position: 1, type: "/problems/mailbox-not-found", status: 404 },
          { position: 2, type: "/problems/snapshot-not-found" },
          { position: 3, type: "/problems/folder-not-found", folder: "Nowhere" },
          { position: 4, type: "/problems/item-not-found", positions: [0] },
          { position: 5, type: "/problems/target-not-found" },
          { position: 6, type: "/problems/restore-repeated", status: 400, first: 0 },
        ],
      },
    });
    expect(answer.text).not.toContain(NOBODY);
    expect([started, audited(), work.blobs.size]).toEqual([[], [], before]);
  });

  test("needs the role for another mailbox, as a single restore does", async () => {
    const { post, started, audited } = await anApi({ roles: ["Restore.Operator"] });

    const answer = await post({ restores: [{ mailbox: UPN }, { mailbox: UPN, target: toBo }], select: all });

    expect(answer).toMatchObject({
      status: 403,
      body: { refused: [{ position: 1, type: "/problems/role-missing", roles: ["Restore.CrossMailbox"] }] },
    });
    expect([started, audited()]).toEqual([[], []]);
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
    const handler = startRestore({ clientOf, openGraph, translator, vault, work, audit, window: 3 });

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
  test("has a line for each restore before anything starts", async () => {
    const seen: number[] = [];
    const lines = memoryAuditLog();
    const audit: AuditLog = {
      append: async (series, entry) => {
        seen.push(started.length);
        await lines.append(series, entry);
      },
    };
    const { post, started, mailbox, bo } = await anApi({ audit });
    const { body } = await post({ restores: [{ mailbox: UPN }, { mailbox: UPN, target: toBo }], select: all });

    const { job, restores } = Accepted.parse(body);
    const written = [...lines.blobs.values()].flatMap((blob) => blob.trim().split("\n"));
    expect(seen).toEqual([0, 0]);
    expect(written.map((line): unknown => JSON.parse(line))).toMatchObject([
      { principal: OPERATOR, job: restores[0]?.job, list: job, mailbox: mailbox.key, reason, dryRun: false },
      { principal: OPERATOR, job: restores[1]?.job, list: job, mailbox: mailbox.key, into: bo.key },
    ]);
  });

  test("lets nothing start when it cannot be written: the answer is 503", async () => {
    const audit: AuditLog = { append: () => Promise.reject(new Error("The container is gone")) };
    const { post, started } = await anApi({ audit });

    expect(await post({ restores: [{ mailbox: UPN }], select: all })).toMatchObject({
      status: 503,
      body: { type: "/problems/audit-unavailable" },
    });
    expect(started).toEqual([]);
  });
});
