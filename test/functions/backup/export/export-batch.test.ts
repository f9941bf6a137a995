import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { BATCH_MS, exportBatch, PROBE_MS } from "../../../../functions/backup/export/export-batch.ts";
import { MAX_LANE_SECONDS } from "../../../../shared/config.ts";
import { eachItem } from "../../../../shared/graph/items.ts";
import { openPack } from "../../../../shared/vault/pack-writer.ts";
import type { CatalogueRecord } from "../../../../shared/vault/records.ts";
import { aGraph } from "../../../shared/graph/a-graph.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { all, aPack, someFacts } from "../../../shared/vault/samples.ts";
import { aMailboxInGraph } from "../../kit.ts";

const ITEM = someFacts();

type Kit = Awaited<ReturnType<typeof aBatch>>;

/** Some items of an inbox, and a function that exports them as one batch. */
const aBatch = async (count = 5, itemBytes = 500, refused?: { readonly code: string; readonly since: string }) => {
  const kit = await aMailboxInGraph({ bytes: { fixed: itemBytes } });
  const graph = kit.openGraph({ untilMs: Date.now() + 600_000 });
  const inbox = await kit.folderId();
  const items = (await all(eachItem(graph, kit.mailbox, inbox))).slice(0, count);
  const pack = openPack(kit.vault, aPack);
  await kit.admin["reset-counters"]({});
  const run = (batchMs?: number) =>
    exportBatch(
      graph,
      kit.mailbox,
      items.map((item) => ({ ...item, ...(refused && { refused }) })),
      pack,
      batchMs,
    );
  const exports = async () => (await kit.admin.counters({})).requests["export-items"];
  const ids = items.map(({ id }) => id);
  return { ...kit, ids, run, exports };
};

const idOf = (record: CatalogueRecord): string => ("id" in record ? record.id : "");

const outcomes = async ({ run, ids }: Kit, batchMs?: number): Promise<Record<string, string>> => {
  const records = await run(batchMs);
  const named = records.map((record) => [
    `item ${ids.indexOf(idOf(record))}`,
    "code" in record ? `${record.op} ${record.reason} ${record.code}` : record.op,
  ]);
  expect(named).toHaveLength(ids.length);
  return Object.fromEntries(named);
};

describe("exportBatch", () => {
  test("stores each item as Graph holds it, with one request, though the answer comes in another order", async () => {
    const kit = await aBatch(20);

    const records = await kit.run();

    const held = new Map((await kit.items()).map(({ id, sha256, bytes }) => [id, { sha256, bytes }]));
    expect(records.map(idOf)).not.toEqual(kit.ids);
    expect(new Set(records.map(idOf))).toEqual(new Set(kit.ids));
    for (const record of records) {
      if (record.op !== "put") throw new Error(`${record.op} instead of put`);
      expect({ sha256: record.sha256, bytes: record.rawBytes }).toEqual(held.get(record.id));
    }
    expect(await kit.exports()).toBe(1);
  });

  test("asks alone for an item that Graph left out, and stores it", async () => {
    const kit = await aBatch();
    await kit.fault({ kind: "export-item", itemIds: [kit.ids[2] ?? ""], outcome: "missing", count: 1 });

    expect(Object.values(await outcomes(kit))).toEqual(["put", "put", "put", "put", "put"]);
    expect(await kit.exports()).toBe(2);
  });

  test("records an item that Graph leaves out twice as not returned", async () => {
    const kit = await aBatch();
    await kit.fault({ kind: "export-item", itemIds: [kit.ids[2] ?? ""], outcome: "missing" });

    expect(await outcomes(kit)).toMatchObject({ "item 1": "put", "item 2": "fail not-returned not-returned" });
  });

  test("asks for every item alone when the answer has none", async () => {
    const kit = await aBatch(3);
    await kit.fault({ kind: "export-empty", count: 1 });

    expect(Object.values(await outcomes(kit))).toEqual(["put", "put", "put"]);
    expect(await kit.exports()).toBe(4);
  });

  test.each(["error", "Error"] as const)(
    "fails an item that Graph calls corrupt, with its error under `%s`",
    async (key) => {
      const kit = await aBatch();
      await kit.fault({ kind: "export-item", itemIds: [kit.ids[0] ?? ""], outcome: "error", key });

      expect(await outcomes(kit)).toMatchObject({ "item 0": "fail corrupt ErrorItemCorrupt", "item 1": "put" });
      expect(await kit.exports()).toBe(2);
    },
  );

  test("skips an item that is gone since it was planned, by its own look-up too", async () => {
    const kit = await aBatch();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: kit.ids[3] ?? "" });

    expect(await outcomes(kit)).toMatchObject({ "item 3": "skip gone ErrorItemNotFound", "item 4": "put" });
    expect(await kit.exports()).toBe(1);
  });

  test("fails an item with an unknown code, after one more try alone", async () => {
    const kit = await aBatch();
    const itemIds = [kit.ids[1] ?? ""];
    await kit.fault({ kind: "export-item", itemIds, outcome: "error", code: "ErrorSomethingNew" });

    expect(await outcomes(kit)).toMatchObject({ "item 1": "fail unknown-error ErrorSomethingNew", "item 2": "put" });
    expect(await kit.exports()).toBe(2);
  });

  test("stores an item that fails for an unknown reason once", async () => {
    const kit = await aBatch();
    const itemIds = [kit.ids[1] ?? ""];
    await kit.fault({ kind: "export-item", itemIds, outcome: "error", code: "ErrorSomethingNew", count: 1 });

    expect(await outcomes(kit)).toMatchObject({ "item 1": "put" });
  });

  test("asks again for the items that an answer did not bring before it broke off", async () => {
    const kit = await aBatch(5, 400_000);
    await kit.fault({ kind: "reset", endpoint: "export-items", when: "mid-answer", count: 1 });

    expect(Object.values(await outcomes(kit))).toEqual(["put", "put", "put", "put", "put"]);
    expect(await kit.exports()).toBeGreaterThan(1);
  });

  test("fails an item for which Graph answers an error every time, while the mailbox answers", async () => {
    const kit = await aBatch(1);
    await kit.fault({ kind: "status", endpoint: "export-items", status: 500, code: "Poison", retryAfter: 0 });

    expect(await outcomes(kit)).toEqual({ "item 0": "fail unknown-error Poison" });
  });

  test("fails an item whose answer breaks off every time, while the mailbox answers", async () => {
    const kit = await aBatch(1, 2_000_000);
    await kit.fault({ kind: "reset", endpoint: "export-items", when: "mid-answer" });

    expect(await outcomes(kit)).toEqual({ "item 0": "fail unknown-error broken-answer" });
  });

  test("asks for each item alone when the answer for all does not come in time", async () => {
    const kit = await aBatch(3);
    await kit.fault({ kind: "hold", endpoint: "export-items", count: 1 });

    expect(Object.values(await outcomes(kit, 1_000))).toEqual(["put", "put", "put"]);
  });

  test("fails an item whose answer does not come in time, while the mailbox answers", async () => {
    const kit = await aBatch(1);
    await kit.fault({ kind: "hold", endpoint: "export-items" });

    expect(await outcomes(kit, 200)).toEqual({ "item 0": "fail unknown-error out-of-time" });
    expect(await kit.exports()).toBe(1);
  });

  test("fails an item whose answer stalls amid its content, and has one deadline for all tries", async () => {
    const { client, asked } = await aGraph([
      { stalls: true, body: { value: [{ itemId: ITEM.id, data: "AAAA".repeat(100) }] } },
      { body: { id: "root" } },
    ]);
    const pack = openPack(memoryBlobs(), aPack);

    const [record] = await exportBatch(client, { id: "MBX:1@2", kind: "primary" }, [ITEM], pack, 200);

    expect(record).toMatchObject({ op: "fail", code: "out-of-time" });
    expect(asked.map(({ method }) => method)).toEqual(["POST", "GET"]);
  });

  test("throws when the work that it belongs to ends before its first request", async () => {
    const { client, asked } = await aGraph([], { endsMs: Date.now() - 1 });
    const run = exportBatch(client, { id: "MBX:1@2", kind: "primary" }, [ITEM], openPack(memoryBlobs(), aPack));

    await expect(run).rejects.toMatchObject({ name: "OutOfTimeError" });
    expect(asked).toEqual([]);
  });

  test("throws when Graph is down, so that the task hub tries again", async () => {
    const kit = await aBatch(1);
    await kit.fault({ kind: "status", status: 503, retryAfter: 0 });

    await expect(kit.run()).rejects.toMatchObject({ name: "GraphError", status: 503 });
  });

  test.each([
    { status: 401, code: "InvalidAuthenticationToken" },
    { status: 403, code: "ErrorAccessDenied" },
    { status: 429, code: "TooManyRequests", retryAfter: 3_600 },
  ])("throws $status at once: it concerns more than an item", async (answer) => {
    const kit = await aBatch(3);
    await kit.fault({ kind: "status", endpoint: "export-items", ...answer });

    await expect(kit.run()).rejects.toMatchObject({ name: "GraphError", status: answer.status });
    expect(await kit.exports()).toBe(1);
  });
});

describe("a refusal that is permanent if it is true", () => {
  const CODES = ["ErrorItemNotFound", "ErrorItemCorrupt", "ErrorCorruptData"] as const;
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const recordOf = async (kit: Kit, item: number) => (await kit.run()).find((record) => idOf(record) === kit.ids[item]);

  test.each(CODES)("costs no item when it passes: %s", async (code) => {
    const kit = await aBatch();
    await kit.fault({ kind: "export-item", itemIds: kit.ids, outcome: "error", code, count: 1 });

    expect(Object.values(await outcomes(kit))).toEqual(["put", "put", "put", "put", "put"]);
  });

  test.each(CODES)(
    "fails an item that is still there, with all that is known of it and since when: %s",
    async (code) => {
      const kit = await aBatch();
      await kit.fault({ kind: "export-item", itemIds: [kit.ids[1] ?? ""], outcome: "error", code });

      expect(await recordOf(kit, 1)).toMatchObject({
        op: "fail",
        code,
        subject: expect.any(String),
        since: expect.stringMatching(/^\d{4}-/),
      });
    },
  );

  test.each([
    { hours: 23, code: "ErrorItemCorrupt", op: "fail" },
    { hours: 25, code: "ErrorItemCorrupt", op: "skip" },
    { hours: 25, code: "ErrorCorruptData", op: "skip" },
    { hours: 25, code: "ErrorItemNotFound", op: "fail" },
    { hours: 25, code: "ErrorSomethingNew", op: "fail" },
  ])("after $hours hours of $code, the item that is called corrupt has the record $op", async ({ hours, code, op }) => {
    const since = hoursAgo(hours);
    const kit = await aBatch(3, 500, { code, since });
    await kit.fault({ kind: "export-item", itemIds: [kit.ids[0] ?? ""], outcome: "error" });

    const record = await recordOf(kit, 0);

    expect(record).toMatchObject({ op });
    expect(record).not.toHaveProperty("again");
    const goesOn = code === "ErrorItemCorrupt" || code === "ErrorCorruptData";
    expect((record as { since?: string }).since === since).toBe(goesOn);
  });

  test.each([
    [23, true],
    [25, undefined],
  ])("an item that is gone for %i hours is asked for again: %s", async (hours, again) => {
    const kit = await aBatch(3, 500, { code: "ErrorItemNotFound", since: hoursAgo(hours) });
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: kit.ids[0] ?? "" });

    const record = await recordOf(kit, 0);

    expect(record).toMatchObject({ op: "skip", reason: "gone" });
    expect((record as { again?: true }).again).toBe(again);
  });
});

describe("a wave of exports", () => {
  test("ends well before the host ends it, whatever LANE_SECONDS is", async () => {
    const { functionTimeout } = JSON.parse(await readFile("host.json", "utf8"));
    const [hours, minutes] = String(functionTimeout).split(":").map(Number);
    const longest = MAX_LANE_SECONDS * 1_000 + BATCH_MS + PROBE_MS;

    expect(longest).toBeLessThanOrEqual(((hours ?? 0) * 60 + (minutes ?? 0)) * 60_000 * 0.8);
  });
});
