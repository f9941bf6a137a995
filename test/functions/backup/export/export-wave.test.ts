import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { exportMemory } from "../../../../functions/backup/export/export-memory.ts";
import { noProgress } from "../../../../functions/backup/wave.steps.ts";
import { forgetWish, makeWish } from "../../../../functions/jobs/wishes.ts";
import { takeSlots } from "../../../../functions/slots/mailbox-slots.ts";
import { foldSnapshot } from "../../../../shared/vault/fold.ts";
import { readFolders } from "../../../../shared/vault/folders.ts";
import { headName } from "../../../../shared/vault/names.ts";
import { readHead, readManifest } from "../../../../shared/vault/snapshots.ts";
import { all } from "../../../shared/vault/samples.ts";
import { aRun } from "../../kit.ts";
import { anOpenedRun } from "./an-opened-run.ts";

const ended = { planned: true, again: [] };

describe("export-wave", () => {
  test("plans all items and exports them in batches of twenty, each into a pack, with one part for all", async () => {
    const { wave, stored, exports, items } = await anOpenedRun({ items: 45 });

    expect(await wave()).toMatchObject({
      planned: 45,
      exported: 45,
      skipped: 0,
      failed: 0,
      removed: 0,
      expectedItems: 45,
      waitMs: 0,
      position: { ...ended, nextChunk: 1, at: { chunk: 1, batch: 0 } },
    });
    expect(
      stored("packs")
        .map((name) => name.replace(/.*\//, ""))
        .toSorted(),
    ).toEqual(["c0-b0.zip", "c0-b1.zip", "c0-b2.zip"]);
    expect(stored("catalog").filter((name) => /\/w00000-[\da-f]{8}-0000\.jsonl\.gz$/.test(name))).toHaveLength(1);
    expect(await exports()).toBe(3);
    expect(await items()).toHaveLength(45);
  });

  test("delivered again after the mailbox has changed, returns the same and sends Graph nothing", async () => {
    const { wave, vault, admin, mailbox } = await anOpenedRun({ items: 25 });
    const first = await wave();
    const blobs = [...vault.blobs.keys()];
    await admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 5 });
    await admin["reset-counters"]({});

    expect(await wave()).toEqual(first);
    expect((await admin.counters({})).requests).toEqual({});
    expect([...vault.blobs.keys()]).toEqual(blobs);
  });

  test("delivered twice at once, leaves one pack per batch and one snapshot, and returns the same twice", async () => {
    const { wave, stored, mailbox, vault, commit } = await anOpenedRun({ items: 45 });

    const [one, other] = await Promise.all([wave(), wave()]);
    await commit([one]);

    const { manifest } = (await readManifest(vault, mailbox.key, aRun)) ?? {};
    expect(other).toEqual(one);
    expect(stored("packs").map((name) => name.replace(/.*\//, ""))).toEqual([
      "c0-b0.zip",
      "c0-b1.zip",
      "c0-b2.zip",
      "c999999999-b0.zip",
    ]);
    expect(manifest?.parts).toHaveLength(2);
    expect(await all(foldSnapshot(vault, mailbox.key, aRun))).toHaveLength(45);
  });

  test("never has more requests under way than it was given slots, and no fewer while there is work", async () => {
    for (const slots of [1, 2, 4]) {
      const { wave, admin, mailbox } = await anOpenedRun({ items: 400, layout: "typical", userFolders: 8 });
      await admin["reset-counters"]({});
      await admin.settings({ latencyMs: 10 });
      await admin["add-fault"]({ kind: "hold", endpoint: "export-items", count: slots });

      const running = wave({ slots });
      await expect.poll(() => admin.faults({})).toMatchObject([{ struck: slots }]);
      await admin["clear-faults"]({});
      const done = await running;

      const { mailboxes, throttled } = await admin.counters({});
      expect(done.exported).toBe(400);
      expect(mailboxes[mailbox.id]?.highestConcurrency).toBe(slots);
      expect(throttled.MailboxConcurrency).toBe(0);
    }
  });

  test("asks for the first pages of other folders while a lane plans one", async () => {
    const { wave, admin, mailbox } = await anOpenedRun({ items: 0, layout: "typical", userFolders: 12 });
    const { position } = await wave({ budgetMs: 1 });
    await admin["reset-counters"]({});
    await admin["add-fault"]({ kind: "hold", endpoint: "items*", count: 4 });

    const running = wave({ wave: 1, position });
    await expect.poll(() => admin.faults({})).toMatchObject([{ struck: 4 }]);
    await admin["clear-faults"]({});
    const done = await running;

    const { mailboxes } = await admin.counters({});
    expect(done).toMatchObject({ planned: 0, exported: 0, position: ended });
    expect(mailboxes[mailbox.id]?.highestConcurrency).toBe(4);
  });

  test("asks for every page once, although it looks ahead", async () => {
    const { wave, admin, mailbox } = await anOpenedRun({ items: 60, layout: "typical", userFolders: 12 });

    await wave();

    const { requests } = await admin.counters({});
    const folders = (await admin.folders({ mailbox: mailbox.id })).length;
    expect({ list: requests["items"], delta: requests["items-delta"] }).toEqual({ list: folders, delta: folders });
  });

  test("reads a pack that a crashed delivery left, instead of exporting again", async () => {
    const { wave, exports, vault, work, stored } = await anOpenedRun({ items: 45 });
    const first = await wave();
    for (const name of [...work.blobs.keys()].filter((key) => key.includes("/waves/"))) await work.remove(name);
    await vault.remove(stored("packs").find((name) => name.endsWith("c0-b1.zip")) ?? "");
    const before = await exports();

    const second = await wave();

    expect(second).toMatchObject({ exported: 45, bytes: first.bytes, storedBytes: first.storedBytes });
    expect(await exports()).toBe(before + 1);
  });

  test("plans a page or exports a batch even in the shortest time, and returns where to go on", async () => {
    const { wave, commit, vault, mailbox } = await anOpenedRun({ items: 45 });
    const waves = [await wave({ budgetMs: 1 })];
    for (let next = waves[0]; next !== undefined && waves.length < 100; next = waves.at(-1)) {
      const { position } = next;
      if (position.planned && position.at.chunk === position.nextChunk) break;
      waves.push(await wave({ wave: waves.length, budgetMs: 1, position }));
    }

    await commit(waves);

    expect(waves[0]).toMatchObject({ exported: 0, position: { nextChunk: 1 } });
    expect(waves.length).toBeGreaterThan(2);
    expect(waves.map(({ exported }) => exported).reduce((a, b) => a + b)).toBe(45);
    expect(await all(foldSnapshot(vault, mailbox.key, aRun))).toHaveLength(45);
  });

  test("ends on a refusal that outlasts its deadline, keeps what it stored, and returns how long to wait", async () => {
    const { wave, fault, mailbox, vault, commit } = await anOpenedRun({ items: 60 });
    await fault({ kind: "status", endpoint: "export-items", status: 429, retryAfter: 900, count: 1, after: 1 });

    const first = await wave({ slots: 1 });
    const second = await wave({ wave: 1, position: first.position });
    await commit([first, second]);

    expect(first).toMatchObject({ throttled: 1, waitMs: 900_000 });
    // The lanes that had not sent their requests yet did not send them.
    expect(first.position.again.length).toBeGreaterThanOrEqual(1);
    expect(first.exported).toBeGreaterThanOrEqual(20);
    expect(first.exported + second.exported).toBe(60);
    expect(second.position).toMatchObject(ended);
    expect(await all(foldSnapshot(vault, mailbox.key, aRun))).toHaveLength(60);
  });

  test("gives refused batches back, and the next wave exports them first", async () => {
    const { wave, plannedWave } = await anOpenedRun({ items: 200 });

    const { position } = await plannedWave();
    const next = await wave({ wave: 1, position });

    expect(position).toMatchObject({ planned: true, nextChunk: 1 });
    expect(position.again.length).toBeGreaterThan(0);
    expect(next).toMatchObject({ exported: 200, position: ended });
  });

  test("ends on a refusal to plan too, and the next one plans on", async () => {
    const { wave, fault } = await anOpenedRun({ items: 30 });
    await fault({ kind: "status", endpoint: "items-delta", status: 429, retryAfter: 900, count: 1 });

    const first = await wave();
    const second = await wave({ wave: 1, position: first.position });

    expect(first).toMatchObject({ throttled: 1, waitMs: 900_000, position: { planned: false } });
    expect(first.exported + second.exported).toBe(30);
    expect(second.position).toMatchObject(ended);
  });

  test("waits out a short refusal", async () => {
    const { wave, fault } = await anOpenedRun({ items: 20 });
    await fault({ kind: "status", endpoint: "export-items", status: 429, retryAfter: 0, count: 2 });

    expect(await wave()).toMatchObject({ exported: 20, throttled: 2, waitMs: 0 });
  });

  test("that comes under a hold that is gone does nothing, and says so", async () => {
    const { wave, vault, admin } = await anOpenedRun({ items: 30 });
    await admin["reset-counters"]({});

    const done = await wave({ hold: { holder: "a", asking: "b" } });

    expect(done).toMatchObject({ notHeld: true, exported: 0, position: noProgress.position });
    expect((await admin.counters({})).requests).toEqual({});
    expect(vault.blobs.size).toBe(0);
    expect(await wave()).toMatchObject({ exported: 30 });
  });

  test.each(["pause", "cancel"] as const)(
    "sends nothing when it is told to %s, and can be gone on with",
    async (told) => {
      const { wave, state, admin } = await anOpenedRun({ items: 30 });
      await makeWish(state, "the-job", told, new Date());
      await admin["reset-counters"]({});

      const done = await wave({ jobs: ["the-job"] });
      expect(done).toMatchObject({ told: true, exported: 0 });
      expect((await admin.counters({})).requests["export-items"] ?? 0).toBe(0);
      await forgetWish(state, "the-job");
      expect(await wave({ wave: 1, position: done.position })).toMatchObject({ exported: 30 });
    },
  );

  test("begins no batch once it is told to end, and says what it has done", async () => {
    const { wave, state, admin } = await anOpenedRun({ items: 200 });
    await admin["add-fault"]({ kind: "hold", endpoint: "export-items", count: 1 });

    const running = wave({ jobs: ["the-job"], slots: 1 });
    await expect.poll(() => admin.faults({})).toMatchObject([{ struck: 1 }]);
    await makeWish(state, "the-job", "cancel", new Date());
    await delay(5_500);
    await admin["clear-faults"]({});
    const done = await running;

    expect(done.told).toBe(true);
    // Those that were under way end, and are counted.
    expect(done.exported).toBeGreaterThan(0);
    expect(done.exported).toBeLessThanOrEqual(60);
  });

  test("sends nothing more once its hold is gone, and returns what it has done", async () => {
    const { wave, work, mailbox, admin } = await anOpenedRun({ items: 60 });
    const hold = { holder: "a", asking: "1" };
    const taken = { ...hold, user: "backup", wanted: 4, holdMs: 600_000 } as const;
    await takeSlots(work, mailbox.key, taken);
    await admin["add-fault"]({ kind: "hold", endpoint: "export-items", count: 1 });

    const running = wave({ hold, slots: 1 });
    await expect.poll(() => admin.faults({})).toMatchObject([{ struck: 1 }]);
    const { now } = performance;
    const later = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + 130_000);
    onTestFinished(() => later.mockRestore());
    await admin["clear-faults"]({});

    expect(await running).toMatchObject({ exported: 20, failed: 0, position: { again: { length: 1 } } });
  });

  test("gives back what finds no room in the process in time", async () => {
    const memory = exportMemory(20, 10);
    const { wave, exports } = await anOpenedRun({ items: 30 }, memory);
    const { leave } = await memory.enter([{}], Date.now() + 60_000);

    const done = await wave({ budgetMs: 1_000 });
    leave();

    expect(done).toMatchObject({ planned: 30, exported: 0, failed: 0 });
    expect(await exports()).toBe(0);
    expect(await wave({ wave: 1, position: done.position })).toMatchObject({ exported: 30, position: ended });
  });

  test("throws when Graph is down, and goes on from its packs at the next delivery", async () => {
    const { wave, plannedWave, fault, admin, exports } = await anOpenedRun({ items: 40 });
    const { position } = await plannedWave();
    const next = () => wave({ wave: 1, slots: 1, position });
    await fault({ kind: "status", status: 503, retryAfter: 0, after: 1 });

    await expect(next()).rejects.toThrow("Graph answered 503");
    await admin["clear-faults"]({});
    const before = await exports();

    expect(await next()).toMatchObject({ exported: 40 });
    expect(await exports()).toBeLessThanOrEqual(before + 2);
  });

  test("fails only when all its lanes have ended: they use the mailbox's slots", async () => {
    const { wave, plannedWave, fault, admin, mailbox } = await anOpenedRun({ items: 80 });
    const { position } = await plannedWave();
    await admin.settings({ latencyMs: 50 });
    await fault({ kind: "status", endpoint: "export-items", status: 403, code: "ErrorAccessDenied", count: 1 });

    await expect(wave({ wave: 1, position })).rejects.toThrow("Graph answered 403 ErrorAccessDenied");

    expect((await admin.counters({})).mailboxes[mailbox.id]?.inFlight).toBe(0);
  });

  test("counts skipped and failed items apart from stored ones", async () => {
    const { wave, fault, items, commit } = await anOpenedRun({ items: 30 });
    const [gone, strange] = (await items()).map(({ id }) => id);
    await fault({ kind: "export-item", itemIds: [gone ?? ""], outcome: "error", code: "ErrorItemNotFound" });
    await fault({ kind: "status", endpoint: "item", status: 404, code: "ErrorItemNotFound" });
    await fault({ kind: "export-item", itemIds: [strange ?? ""], outcome: "error", code: "ErrorOddity" });

    const result = await wave();

    expect(result).toMatchObject({ exported: 28, skipped: 1, failed: 1 });
    expect(await commit([result])).toMatchObject({ state: "partial", items: 28 });
  });
});

describe("commit-snapshot", () => {
  test("commits nothing while a planned item has no record, or a folder is not planned", async () => {
    const kit = await anOpenedRun({ items: 30 });
    const done = await kit.wave();
    const head = headName(kit.mailbox.key);

    await expect(kit.commit([{ ...done, planned: done.planned + 1 }])).rejects.toThrow("planned 31 items, ended 30");
    await expect(kit.commit([{ ...done, exported: 29 }])).rejects.toThrow("ended 29 and has records of 30");
    expect(await kit.vault.info(head)).toBeUndefined();

    await kit.commit([done]);
    expect(await kit.vault.info(head)).toBeDefined();
  });

  test("writes a manifest with every item of the mailbox, and moves the head to it", async () => {
    const { wave, commit, mailbox, vault, items } = await anOpenedRun({ items: 45 });
    const result = await wave();

    const answer = await commit([result]);

    const held = (await items()).map(({ sha256 }) => sha256).toSorted();
    const stored = (await all(foldSnapshot(vault, mailbox.key, aRun))).map(({ sha256 }) => sha256).toSorted();
    const found = await readManifest(vault, mailbox.key, aRun);
    expect(answer).toMatchObject({ snapshotId: aRun, state: "complete", items: 45, bytes: result.bytes });
    expect(stored).toEqual(held);
    expect(found?.manifest).toMatchObject({ base: true, parent: null, state: "complete", trigger: "request" });
    const { folders } = await readFolders(vault, mailbox.key, aRun);
    expect(folders.map(({ deltaLink }) => deltaLink)).not.toContain(undefined);
    expect((await readHead(vault, mailbox.key))?.newest).toMatchObject({ id: aRun, manifestSha256: found?.sha256 });
  });

  test("keeps the first manifest when it is delivered again", async () => {
    const { wave, commit, mailbox, vault } = await anOpenedRun({ items: 20 });
    const waves = [await wave()];
    const first = await commit(waves);
    const before = await readManifest(vault, mailbox.key, aRun);

    expect(await commit(waves)).toEqual(first);
    expect(await readManifest(vault, mailbox.key, aRun)).toEqual(before);
  });

  test("names the part of the delivery that was kept, not that of another one", async () => {
    const { wave, work, commit, mailbox, vault } = await anOpenedRun({ items: 25 });
    await wave();
    for (const name of [...work.blobs.keys()].filter((key) => key.includes("/waves/"))) await work.remove(name);
    const second = await wave({ position: noProgress.position });

    await commit([second]);

    const found = await readManifest(vault, mailbox.key, aRun);
    expect(found?.manifest.counts.put).toBe(25);
    expect(found?.manifest.parts.map(({ records }) => records).at(-1)).toBe(25);
    expect(found?.manifest.parts).toHaveLength(2);
  });
});
