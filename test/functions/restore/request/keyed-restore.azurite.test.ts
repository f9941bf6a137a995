import { describe, expect, test } from "vitest";
import { startRestore } from "../../../../functions/restore/request/start-restore.http.ts";
import { guardOf } from "../../../../shared/http/guard.ts";
import { startsOnce } from "../../../../shared/http/idempotency.ts";
import { principalOf } from "../../../../shared/security/principal.ts";
import type { Blobs } from "../../../../shared/storage/blobs.ts";
import { UPN } from "../../../local/graph/kit.ts";
import { memoryAuditLog } from "../../../shared/audit/memory-audit-log.ts";
import { aPrincipalHeader } from "../../../shared/security/a-principal.ts";
import { aFakeHub, ask } from "../../fake-hub.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore } from "../a-restore.ts";

const restore = { mailbox: UPN, select: { all: true }, target: "original", reason: "ticket 4711" };
const REQUESTS = [
  ["one restore", restore],
  ["one that does not wait", { ...restore, whenBusy: "refuse" }],
  [
    "a list",
    { restores: [restore, { ...restore, target: "new-folder" }].map(({ reason: _, ...r }) => r), reason: "x" },
  ],
  ["a plan", { plan: `restore-${aRestoreId}`, reason: "ticket 4711" }],
] as const;

/** An API that heeds keys, with a completed dry run; `lose` loses the first answer after its job was started. */
const anApi = async ({ lose = false } = {}) => {
  const kit = await aRestore({ items: 2 });
  await kit.plan();
  const source = { restoreId: aRestoreId, mailbox: kit.mailbox, snapshotId: kit.snapshotId, select: { all: true } };
  const input = { ...source, target: "original", onConflict: "skip", dryRun: true };
  const dryRun = { name: "restore-mailbox", runtimeStatus: "Completed", input };
  const hub = aFakeHub({ [`restore-${aRestoreId}`]: dryRun });
  const { replace } = kit.work;
  let isLost = !lose;
  const work: Blobs = {
    ...kit.work,
    replace: (name, body, etag) => {
      const isAnswer = name.startsWith("starts/") && Buffer.from(body).includes("answer");
      if (isLost || !isAnswer) return replace(name, body, etag);
      isLost = true;
      return Promise.reject(new Error("killed"));
    },
  };
  const once = startsOnce({ work, clientOf: hub.clientOf });
  const handler = guardOf(principalOf("platform"))(
    ["Restore.Operator"],
    once(startRestore({ ...kit, ...hub, audit: memoryAuditLog(), window: 3 })),
  );
  const headers = aPrincipalHeader({ id: "0a0a0a0a-1111-4222-8333-444444444444", roles: ["Restore.Operator"] });
  const post = (body: unknown) =>
    ask(handler, { method: "POST", headers: { ...headers, "idempotency-key": "4711" }, body });
  return { ...hub, post };
};

describe("POST /api/restores with an Idempotency-Key", () => {
  test.each(REQUESTS)("starts %s once, however often it is asked for at once and later", async (_, body) => {
    const { post, started, end } = await anApi();

    const answers = await Promise.all([post(body), post(body), post(body)]);
    end(started[0]?.instanceId ?? "");
    answers.push(await post(body));

    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(started).toHaveLength(1);
  });

  test.each(REQUESTS)("starts %s once when the first answer is lost, also when its job has ended", async (_, body) => {
    const { post, started, end } = await anApi({ lose: true });
    await expect(post(body)).rejects.toThrow("killed");
    end(started[0]?.instanceId ?? "");

    const again = await post(body);

    expect(again).toMatchObject({ status: 202, body: { job: started[0]?.instanceId } });
    expect(started).toHaveLength(1);
  });
});
