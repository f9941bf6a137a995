import { describe, expect, test } from "vitest";
import { startRestore } from "../../../functions/restore/start-restore.http.ts";
import { UPN } from "../../local/graph/kit.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aRestore } from "./a-restore.ts";

const anApi = async () => {
  const kit = await aRestore({ items: 2 });
  const hub = aFakeHub();
  const post = (body: unknown) => ask(startRestore({ ...kit, ...hub }), { method: "POST", body });
  return { ...kit, ...hub, post };
};

const all = { all: true };

describe("POST /api/restores", () => {
  test("starts a restore of the newest snapshot into a new folder, and says where to look", async () => {
    const { post, started, mailbox, snapshotId } = await anApi();

    const { status, headers, body, text } = await post({ mailbox: UPN, select: all });

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

    expect((await post({ mailbox: mailbox.key, ...wishes })).status).toBe(202);
    expect(started[0]?.input).toMatchObject({ snapshotId, select: wishes.select, target: "original", dryRun: true });
  });

  test("starts a restore of its own at each call", async () => {
    const { post, started } = await anApi();
    await post({ mailbox: UPN, select: all });
    await post({ mailbox: UPN, select: all });

    expect(new Set(started.map(({ instanceId }) => instanceId)).size).toBe(2);
  });

  test.each([
    "",
    "no JSON",
    { mailbox: UPN },
    { select: all },
    { mailbox: "", select: all },
    { mailbox: UPN, select: { all: false } },
    { mailbox: UPN, select: { folders: [] } },
    { mailbox: UPN, select: { all: true, folders: ["Inbox"] } },
    { mailbox: UPN, select: all, target: "elsewhere" },
    { mailbox: UPN, select: all, snapshot: "yesterday" },
    { mailbox: UPN, select: all, onConflict: "merge" },
    { mailbox: UPN, select: all, surprise: 1 },
  ])("answers 400 for the body %j, and starts nothing", async (body) => {
    const { post, started } = await anApi();

    expect(await post(body)).toMatchObject({
      status: 400,
      headers: PROBLEM,
      body: { type: "/problems/invalid-request" },
    });
    expect(started).toEqual([]);
  });

  test.each([
    ["mailbox-not-found", { mailbox: "nobody@contoso.example", select: all }],
    ["snapshot-not-found", { mailbox: UPN, select: all, snapshot: "20200101T000000Z-abc234" }],
    ["folder-not-found", { mailbox: UPN, select: { folders: ["Inbox", "Nowhere"] } }],
  ])("answers 404 %s", async (kind, body) => {
    const { post, started } = await anApi();

    const answer = await post(body);

    expect(answer).toMatchObject({ status: 404, headers: PROBLEM, body: { type: `/problems/${kind}` } });
    if (kind === "folder-not-found") expect(answer.body).toMatchObject({ folder: "Nowhere" });
    expect(started).toEqual([]);
  });

  test("answers 404 for a mailbox that was never backed up", async () => {
    const { post, vault } = await anApi();
    vault.blobs.clear();

    expect(await post({ mailbox: UPN, select: all })).toMatchObject({
      status: 404,
      body: { type: "/problems/snapshot-not-found" },
    });
  });
});
