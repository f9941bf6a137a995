import { describe, expect, test } from "vitest";
import { shareOut } from "../../../functions/backup/wave.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { readHead, readManifest } from "../../../shared/vault/snapshots.ts";
import { all } from "../../shared/vault/samples.ts";
import { aRun } from "../kit.ts";
import { aPlannedRun } from "./a-planned-run.ts";

describe("export-chunks", () => {
  test("exports batch after batch, each into a pack, and names them in one part", async () => {
    const { lane, stored, exports } = await aPlannedRun(45);

    expect(await lane()).toMatchObject({ batches: 3, exported: 45, skipped: 0, failed: 0, left: [], waitMs: 0 });
    expect(stored("packs").map((name) => name.replace(/.*\//, ""))).toEqual(["c0-b0.zip", "c0-b1.zip", "c0-b2.zip"]);
    expect(stored("catalog").filter((name) => name.endsWith("/w00001-l0.jsonl.gz"))).toHaveLength(1);
    expect(await exports()).toBe(3);
  });

  test("answers the same when it is delivered again, and asks Graph for nothing", async () => {
    const { lane, exports, vault } = await aPlannedRun(25);
    const first = await lane();
    const blobs = [...vault.blobs.keys()];
    const before = await exports();

    expect(await lane()).toEqual(first);
    expect(await exports()).toBe(before);
    expect([...vault.blobs.keys()]).toEqual(blobs);
  });

  test("leaves one pack for each batch and one part when it is delivered twice at once, and both answer alike", async () => {
    const { lane, stored, mailbox, vault, commit } = await aPlannedRun(45);

    const [one, other] = await Promise.all([lane(), lane()]);
    await commit([one]);

    expect(other).toEqual(one);
    expect(stored("packs")).toHaveLength(3);
    expect(await all(foldSnapshot(vault, mailbox.key, aRun))).toHaveLength(45);
  });

  test("has four lanes at work with no more than four requests, whose parts make one snapshot", async () => {
    const { lane, ranges, commit, admin, mailbox, vault } = await aPlannedRun(160);
    await admin["reset-counters"]({});
    await admin.settings({ latencyMs: 20 });

    const lanes = await Promise.all(
      shareOut(ranges, 4, 100).shares.map((share, n) => lane({ lane: n, ranges: share })),
    );
    const { mailboxes, throttled } = await admin.counters({});
    await commit(lanes);

    expect(lanes.map(({ exported }) => exported)).toEqual([40, 40, 40, 40]);
    expect(mailboxes[mailbox.id]?.highestConcurrency).toBeLessThanOrEqual(4);
    expect(throttled.MailboxConcurrency).toBe(0);
    expect(await all(foldSnapshot(vault, mailbox.key, aRun))).toHaveLength(160);
  });

  test("reads a pack that a crashed delivery left, instead of exporting again", async () => {
    const { lane, exports, vault, stored } = await aPlannedRun(45);
    const first = await lane();
    const [part = ""] = stored("catalog").filter((name) => name.includes("/w00001-"));
    await vault.remove(part);
    await vault.remove(stored("packs")[1] ?? "");
    const before = await exports();

    expect(await lane()).toMatchObject({
      batches: 3,
      exported: 45,
      bytes: first.bytes,
      storedBytes: first.storedBytes,
    });
    expect(await exports()).toBe(before + 1);
  });

  test("exports one batch however short its time is, and says what is left", async () => {
    const { lane } = await aPlannedRun(45);

    expect(await lane({ budgetMs: 1 })).toMatchObject({
      batches: 1,
      exported: 20,
      left: [{ chunk: 0, from: 1, to: 3 }],
    });
  });

  test("ends on a refusal that outlasts its patience, keeps what it stored, and says how long to wait", async () => {
    const { lane, fault, mailbox, vault, commit } = await aPlannedRun(60);
    const refusal = {
      kind: "status",
      endpoint: "export-items",
      status: 429,
      retryAfter: 900,
      count: 1,
      after: 1,
    } as const;
    await fault(refusal);

    const first = await lane();
    expect(first).toMatchObject({
      batches: 1,
      exported: 20,
      left: [{ chunk: 0, from: 1, to: 3 }],
      throttled: 1,
      waitMs: 900_000,
    });

    const second = await lane({ wave: 2, ranges: first.left });
    expect(second).toMatchObject({ exported: 40, left: [] });
    await commit([first, second]);
    expect(await all(foldSnapshot(vault, mailbox.key, aRun))).toHaveLength(60);
  });

  test("waits out a short refusal", async () => {
    const { lane, fault } = await aPlannedRun(20);
    await fault({ kind: "status", endpoint: "export-items", status: 429, retryAfter: 0, count: 2 });

    expect(await lane()).toMatchObject({ exported: 20, left: [], throttled: 2, waitMs: 0 });
  });

  test("throws when Graph is down, and goes on from its packs at the next delivery", async () => {
    const { lane, fault, admin, exports } = await aPlannedRun(40);
    await fault({ kind: "status", status: 503, retryAfter: 0, after: 1 });

    await expect(lane()).rejects.toThrow("Graph answered 503");
    await admin["clear-faults"]({});
    const before = await exports();

    expect(await lane()).toMatchObject({ batches: 2, exported: 40 });
    expect(await exports()).toBeLessThanOrEqual(before + 2);
  });

  test("counts what is skipped and what fails beside what is stored", async () => {
    const { lane, fault, items, commit } = await aPlannedRun(30);
    const [gone, strange] = (await items()).map(({ id }) => id);
    await fault({ kind: "export-item", itemIds: [gone ?? ""], outcome: "error", code: "ErrorItemNotFound" });
    await fault({ kind: "export-item", itemIds: [strange ?? ""], outcome: "error", code: "ErrorOddity" });

    const result = await lane();

    expect(result).toMatchObject({ exported: 28, skipped: 1, failed: 1 });
    expect(await commit([result])).toMatchObject({ state: "partial", items: 28 });
  });
});

describe("plan-changes", () => {
  test("plans every item once, in batches of at most twenty", async () => {
    const { planned, items } = await aPlannedRun(45);

    expect(planned).toMatchObject({ items: 45, removed: 0, done: true, waitMs: 0 });
    expect(planned.chunks.reduce((sum, batches) => sum + batches, 0)).toBe(3);
    expect(await items()).toHaveLength(45);
  });

  test("answers the same when it is delivered again, though the mailbox has changed", async () => {
    const { plan, planned, admin, mailbox } = await aPlannedRun(25);
    await admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 5 });

    expect(await plan()).toEqual({ ...planned, elapsedMs: expect.any(Number) });
  });
});

describe("commit-snapshot", () => {
  test("makes a manifest that holds what the mailbox held, and moves the head to it", async () => {
    const { lane, commit, mailbox, vault, items } = await aPlannedRun(45);
    const result = await lane();

    const answer = await commit([result]);

    const held = (await items()).map(({ sha256 }) => sha256).toSorted();
    const stored = (await all(foldSnapshot(vault, mailbox.key, aRun))).map(({ sha256 }) => sha256).toSorted();
    const found = await readManifest(vault, mailbox.key, aRun);
    expect(answer).toMatchObject({ snapshotId: aRun, state: "complete", items: 45, bytes: result.bytes });
    expect(stored).toEqual(held);
    expect(found?.manifest).toMatchObject({ base: true, parent: null, state: "complete", trigger: "request" });
    expect(found?.manifest.folders.every(({ deltaLink }) => deltaLink !== undefined)).toBe(true);
    expect((await readHead(vault, mailbox.key))?.newest).toMatchObject({ id: aRun, manifestSha256: found?.sha256 });
  });

  test("lets the first manifest stand when it is delivered again", async () => {
    const { lane, commit, mailbox, vault } = await aPlannedRun(20);
    const lanes = [await lane()];
    const first = await commit(lanes);
    const before = await readManifest(vault, mailbox.key, aRun);

    expect(await commit(lanes)).toEqual(first);
    expect(await readManifest(vault, mailbox.key, aRun)).toEqual(before);
  });
});
