import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { makeWish } from "../../../functions/jobs/wishes.ts";
import { findRestoreReport } from "../../../functions/restore/report/restore-report.ts";
import { findLiveProgress } from "../../../functions/restore/upload/live-progress.ts";
import { restoreInstance } from "../../../shared/contracts/job-ids.ts";
import { eventually } from "../../support/eventually.ts";
import { aRestoreId } from "../kit.ts";
import { contents } from "./a-restore.ts";
import { aLostInbox } from "./whole-restores.ts";

const next = "20261122T093009Z-xyz567";
const ITEMS = 120;

/** A restore that is importing, slowly: its wave would take some 8 s, and its budget is a minute. */
const aLongWave = async () => {
  const kit = await aLostInbox([aRestoreId, next], { items: ITEMS });
  await kit.admin.settings({ latencyMs: 250 });
  const restoring = kit.restore(aRestoreId);
  const sent = async () => (await kit.admin.counters({})).requests["import-item"] ?? 0;
  const tell = (wish: "pause" | "cancel") => makeWish(kit.work, restoreInstance(aRestoreId), wish, new Date());
  return { ...kit, restoring, sent, tell };
};

describe("a restore that is cancelled in the middle of a wave", () => {
  test("shows what it does, sends nothing new after 2 s, reports, and leaves the mailbox to the next", async () => {
    const kit = await aLongWave();
    const live = await eventually("progress", () => findLiveProgress(kit.work, aRestoreId));
    expect(live.imported).toBeGreaterThan(0);
    expect(live.itemsPerSecond).toBeGreaterThan(0);
    await kit.tell("cancel");
    await delay(2_000);
    const sent = await kit.sent();

    const { result } = await kit.restoring;
    expect(await kit.sent()).toBe(sent);
    expect(sent).toBeLessThan(ITEMS);
    const there = await kit.items();
    expect(result).toMatchObject({ imported: there.length, ambiguous: 0, failed: 0, stopped: { reason: "cancelled" } });
    expect(result.missing).toBe(ITEMS - there.length);

    const report = await findRestoreReport(kit.work, aRestoreId);
    expect(report?.counts).toEqual(result);
    const missing = report?.items.filter(({ outcome }) => outcome === "missing") ?? [];
    expect(missing).toHaveLength(result.missing);
    expect(new Set(missing.map(({ code }) => code))).toEqual(new Set(["cancelled"]));

    await kit.admin.settings({ latencyMs: 0 });
    const after = await kit.restore(next);
    expect(after.result).toMatchObject({ imported: ITEMS - there.length, present: there.length, missing: 0 });
    expect(await kit.inbox()).toEqual(contents(kit.lost));
    expect((await kit.admin.counters({})).violations).toEqual([]);
  });

  test("before it was planned ends at once, with a report of nothing", async () => {
    const kit = await aLostInbox([aRestoreId]);
    await makeWish(kit.work, restoreInstance(aRestoreId), "cancel", new Date());
    const { result } = await kit.restore(aRestoreId);

    expect(result).toMatchObject({ imported: 0, missing: 0, stopped: { reason: "cancelled" } });
    expect((await findRestoreReport(kit.work, aRestoreId))?.counts).toEqual(result);
    expect(await kit.items()).toEqual([]);
  });
});
