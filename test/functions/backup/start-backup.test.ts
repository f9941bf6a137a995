import { describe, expect, test } from "vitest";
import { nightlyBackup } from "../../../functions/backup/nightly-backup.timer.ts";
import { startBackup } from "../../../functions/backup/start-backup.http.ts";
import { startsOnce } from "../../../shared/http/idempotency.ts";
import { NOBODY } from "../../../shared/security/principal.ts";
import { UPN } from "../../local/graph/kit.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aTimer } from "../a-timer.ts";
import { aFakeHub, aQuietContext, ask, PROBLEM } from "../fake-hub.ts";
import { aMailboxInGraph } from "../kit.ts";

const anApi = async (instances: Parameters<typeof aFakeHub>[0] = {}) => {
  const kit = await aMailboxInGraph({ items: 1 });
  const hub = aFakeHub(instances);
  const handler = startBackup({ ...kit, ...hub, vault: memoryBlobs(), window: 8 });
  const post = (body?: unknown) => ask(handler, { method: "POST", body });
  return { ...kit, ...hub, post };
};

describe("POST /api/backups", () => {
  test.each([undefined, {}])("starts the backup of all mailboxes for the body %j", async (sent) => {
    const { post, started } = await anApi();

    const { status, headers, body } = await post(sent);

    expect(status).toBe(202);
    expect(headers).toEqual({ "content-type": "application/json", location: "/api/jobs/backup-tenant" });
    expect(body).toEqual({ job: "backup-tenant", location: "/api/jobs/backup-tenant" });
    expect(started).toMatchObject([{ name: "backup-tenant", instanceId: "backup-tenant" }]);
    expect(started[0]?.input).toMatchObject({ trigger: "request", window: 8 });
    expect(started[0]?.input).not.toHaveProperty("only");
  });

  test("starts the backup of the mailboxes that were named, by their users' ids", async () => {
    const { post, started, mailbox } = await anApi();

    expect((await post({ mailboxes: [UPN] })).status).toBe(202);
    expect(started[0]?.input).toMatchObject({ only: [mailbox.userId] });
  });

  test.each([
    "no JSON",
    "null",
    [],
    { mailboxes: [] },
    { mailboxes: [""] },
    { mailboxes: "ada" },
    { mailboxes: Array.from({ length: 101 }, () => UPN) },
    { mailbox: UPN },
  ])("answers 400 for the body %j, and starts nothing", async (body) => {
    const { post, started } = await anApi();

    expect(await post(body)).toMatchObject({
      status: 400,
      headers: PROBLEM,
      body: { type: "/problems/invalid-request" },
    });
    expect(started).toEqual([]);
  });

  test("answers 404 with the mailbox that does not exist, and starts nothing", async () => {
    const { post, started } = await anApi();

    expect(await post({ mailboxes: [UPN, "nobody@contoso.example"] })).toMatchObject({
      status: 404,
      headers: PROBLEM,
      body: { type: "/problems/mailbox-not-found", mailbox: "nobody@contoso.example" },
    });
    expect(started).toEqual([]);
  });

  test.each(["Running", "Pending", "Suspended"])(
    "answers 409 with the job in the way while the tenant's is %s",
    async (runtimeStatus) => {
      const { post, started } = await anApi({ "backup-tenant": { runtimeStatus } });

      expect(await post()).toMatchObject({
        status: 409,
        headers: PROBLEM,
        body: { type: "/problems/backup-running", job: "backup-tenant", location: "/api/jobs/backup-tenant" },
      });
      expect(started).toEqual([]);
    },
  );

  test("answers 409 with the job of a mailbox that is being backed up", async () => {
    const kit = await aMailboxInGraph({ items: 1 });
    const job = `backup-${kit.mailbox.key}`;
    const hub = aFakeHub({ [job]: { runtimeStatus: "Running" } });
    const handler = startBackup({ ...kit, ...hub, window: 8 });

    const { status, body } = await ask(handler, { method: "POST", body: { mailboxes: [UPN] } });

    expect(status).toBe(409);
    expect(body).toMatchObject({ job });
    expect(hub.started).toEqual([]);
  });

  test("starts again after the last one ended, and never shows management URLs", async () => {
    const { post, started } = await anApi({ "backup-tenant": { runtimeStatus: "Failed" } });

    const { status, text } = await post();

    expect(status).toBe(202);
    expect(started).toHaveLength(1);
    expect(text).not.toMatch(/webhooks|code=/);
  });
});

describe("nightly-backup", () => {
  const tick = async (instances: Parameters<typeof aFakeHub>[0] = {}) => {
    const hub = aFakeHub(instances);
    const handler = nightlyBackup({ ...hub, window: 5 });
    await handler(aTimer, aQuietContext());
    return { ...hub, again: () => handler(aTimer, aQuietContext()) };
  };

  test("starts the backup of all mailboxes, once for a tick that comes twice", async () => {
    const { started, again } = await tick();
    await again();

    expect(started).toMatchObject([
      { name: "backup-tenant", instanceId: "backup-tenant", input: { trigger: "schedule", window: 5 } },
    ]);
  });

  test("starts nothing while the last one is running", async () => {
    expect((await tick({ "backup-tenant": { runtimeStatus: "Running" } })).started).toEqual([]);
  });
});

describe("POST /api/backups with an Idempotency-Key", () => {
  test.each([undefined, [UPN]])(
    "has the same job when its first answer was lost, for the mailboxes %j",
    async (mailboxes) => {
      const kit = await aMailboxInGraph({ items: 1 });
      const hub = aFakeHub();
      const client = hub.clientOf({} as never);
      const getStatus: typeof client.getStatus = async (id, shown) => ({
        ...(await client.getStatus(id, shown)),
        createdTime: new Date(),
        input: hub.started.find(({ instanceId }) => instanceId === id)?.input,
      });
      const clientOf = () => ({ ...client, getStatus }) as typeof client;
      const work = memoryBlobs();
      const { replace } = work;
      const once = startsOnce({ work, clientOf })(startBackup({ ...kit, clientOf, window: 8 }));
      const post = () =>
        ask((request, context) => once(request, context, NOBODY), {
          method: "POST",
          headers: { "idempotency-key": "4711" },
          body: { mailboxes },
        });
      work.replace = (name, body, etag) =>
        hub.started.length === 0 ? replace(name, body, etag) : Promise.reject(new Error("killed"));
      await expect(post()).rejects.toThrow("killed");
      work.replace = replace;

      expect(await post()).toMatchObject({ status: 202, body: { job: "backup-tenant" } });
      expect(hub.started).toHaveLength(1);
    },
  );
});
