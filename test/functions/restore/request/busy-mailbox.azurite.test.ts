import { describe, expect, test } from "vitest";
import { startRestore } from "../../../../functions/restore/request/start-restore.http.ts";
import { takeTarget } from "../../../../functions/restore/target/target-lease.ts";

import type { AuditLog } from "../../../../shared/audit/audit-log.ts";
import { guardOf } from "../../../../shared/http/guard.ts";
import { principalOf } from "../../../../shared/security/principal.ts";
import { UPN } from "../../../local/graph/kit.ts";
import { memoryAuditLog } from "../../../shared/audit/memory-audit-log.ts";
import { aPrincipalHeader } from "../../../shared/security/a-principal.ts";
import { aFakeHub, ask } from "../../fake-hub.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore } from "../a-restore.ts";

const other = "20261122T093000Z-abc777";
const headers = aPrincipalHeader({ id: "0a0a0a0a-1111-4222-8333-444444444444", roles: ["Restore.Operator"] });
const request = { mailbox: UPN, select: { all: true }, target: "original", reason: "ticket 4711" };

/** An API, and a mailbox that another restore has; a dry run of its own has completed. */
const aBusyMailbox = async ({ audit = memoryAuditLog() }: { audit?: AuditLog } = {}) => {
  const kit = await aRestore({ items: 2 });
  await kit.plan();
  const source = { restoreId: aRestoreId, mailbox: kit.mailbox, snapshotId: kit.snapshotId, select: { all: true } };
  const input = { ...source, target: "original", onConflict: "skip", dryRun: true };
  const hub = aFakeHub({
    [`restore-${aRestoreId}`]: { name: "restore-mailbox", runtimeStatus: "Completed", input },
    [`restore-${other}`]: { runtimeStatus: "Running", customStatus: { etaSeconds: 40 } },
  });
  const take = (restoreId: string) =>
    takeTarget(kit.work, kit.mailbox.key, { restoreId, waits: false }, async () => "alive");
  await take(other);
  const handler = guardOf(principalOf("platform"))(
    ["Restore.Operator"],
    startRestore({ ...kit, ...hub, audit, window: 3 }),
  );
  const post = (body: unknown) => ask(handler, { method: "POST", headers, body });
  return { ...hub, post, take, free: () => hub.end(`restore-${other}`) };
};

const RESTORES = [
  ["a restore", request],
  ["a plan", { plan: `restore-${aRestoreId}`, reason: "ticket 4711" }],
] as const;

describe("POST /api/restores into a mailbox that another restore has", () => {
  test.each(RESTORES)("refuses %s with that job, where its caller does not want to wait", async (_, body) => {
    const { post, started } = await aBusyMailbox();

    expect(await post({ ...body, whenBusy: "refuse" })).toMatchObject({
      status: 409,
      body: {
        type: "/problems/mailbox-busy",
        job: `restore-${other}`,
        location: `/api/jobs/restore-${other}`,
        ahead: 1,
        seconds: 40,
      },
    });
    expect(started).toEqual([]);
  });

  test.each(RESTORES)("starts %s all the same, which waits then", async (_, body) => {
    const { post, started } = await aBusyMailbox();

    expect((await post(body)).status).toBe(202);
    expect(started).toMatchObject([{ name: "restore-mailbox", input: { exclusive: true, dryRun: false } }]);
  });

  test.each(RESTORES)("starts %s once it is free, and refuses the next", async (_, body) => {
    const { post, started, free } = await aBusyMailbox();
    const refusing = { ...body, whenBusy: "refuse" };
    expect((await post(refusing)).status).toBe(409);
    free();

    expect((await post(refusing)).status).toBe(202);
    expect(await post({ ...request, whenBusy: "refuse" })).toMatchObject({
      status: 409,
      body: { job: started[0]?.instanceId },
    });
  });

  test("starts a dry run, which needs no mailbox to itself", async () => {
    const { post, started } = await aBusyMailbox();

    expect((await post({ ...request, dryRun: true, whenBusy: "refuse" })).status).toBe(202);
    expect(started[0]?.input).not.toHaveProperty("exclusive");
  });

  test("keeps no mailbox for a restore that does not start, since the audit log cannot be written", async () => {
    const audit: AuditLog = { append: () => Promise.reject(new Error("The container is gone")) };
    const { post, take, free } = await aBusyMailbox({ audit });
    free();

    expect((await post({ ...request, whenBusy: "refuse" })).status).toBe(503);
    expect(await take("20261122T093000Z-xyz777")).toBe(true);
  });
});
