import { describe, expect, test } from "vitest";
import { anEmulator, idsOf, UPN } from "./kit.ts";

const INBOX_DELTA = "/folders/inbox/items/delta";
const bigPages = { prefer: "odata.maxpagesize=500" };

describe("item delta", () => {
  test("lists each item once, then only what changed since", async () => {
    const { base, emulator, mailbox, readAll } = await anEmulator();
    const { admin } = emulator;
    const first = await readAll(base + INBOX_DELTA, { prefer: "odata.maxpagesize=7" });
    const [changed = "", moved = "", removed = ""] = idsOf(first.values);
    const { ids } = await admin["create-items"]({ mailbox, folder: "inbox", count: 2 });
    await admin["change-item"]({ mailbox, item: changed, subject: "Changed" });
    const { id: movedTo } = await admin["move-item"]({ mailbox, item: moved, folder: "archive" });
    await admin["remove-item"]({ mailbox, item: removed });

    const second = await readAll(first.deltaLink);

    expect(new Set(idsOf(first.values)).size).toBe(first.values.length);
    expect(first.pages).toBe(Math.ceil(first.values.length / 7));
    expect(idsOf(second.values)).toEqual([...ids, changed, moved, removed]);
    expect(second.values.filter((value) => "@removed" in value)).toEqual([
      { id: moved, "@removed": { reason: "deleted" } },
      { id: removed, "@removed": { reason: "deleted" } },
    ]);
    expect((await readAll(second.deltaLink)).values).toEqual([]);
    expect(movedTo).not.toBe(moved);
    expect(idsOf((await readAll(`${base}/folders/archive/items/delta`, bigPages)).values)).toContain(movedTo);
  });

  test("shows an item that changed twice once, with its newest change key", async () => {
    const { base, emulator, mailbox, ask, readAll } = await anEmulator();
    const first = await readAll(base + INBOX_DELTA, bigPages);
    const [item = ""] = idsOf(first.values);
    await emulator.admin["change-item"]({ mailbox, item, subject: "Once" });
    await emulator.admin["change-item"]({ mailbox, item, subject: "Twice" });

    const second = await readAll(first.deltaLink);

    const { body } = await ask(`${base}/folders/inbox/items/${item}`);
    expect(second.values.map((value) => value["changeKey"])).toEqual([body["changeKey"]]);
    expect(body["changeKey"]).not.toBe(first.values[0]?.["changeKey"]);
  });

  test("what comes and goes during the first round is in it or in the next", async () => {
    const { base, emulator, mailbox, ask, readAll } = await anEmulator();
    const first = await ask(base + INBOX_DELTA);
    const seen = idsOf(first.body.value ?? []);
    await emulator.admin["remove-item"]({ mailbox, item: seen[0] ?? "" });
    const { ids } = await emulator.admin["create-items"]({ mailbox, folder: "inbox", count: 3 });

    const rest = await readAll(first.body["@odata.nextLink"] ?? "", bigPages);
    const next = await readAll(rest.deltaLink);

    const held = new Set(seen);
    for (const value of [...rest.values, ...next.values]) {
      if ("@removed" in value) held.delete(String(value["id"]));
      else held.add(String(value["id"]));
    }
    const now = await readAll(`${base}/folders/inbox/items?$top=500`);
    expect([...held].sort()).toEqual(idsOf(now.values).sort());
    expect(idsOf(now.values)).toEqual(expect.arrayContaining(ids));
  });

  test("a soft delete is `changed`, a hard one `deleted`", async () => {
    const { base, ask, readAll } = await anEmulator();
    const first = await readAll(base + INBOX_DELTA, bigPages);
    const [soft, hard] = idsOf(first.values);
    await ask(`${base}/folders/inbox/items/${soft}?disposalType=softDelete`, { method: "DELETE" });
    await ask(`${base}/folders/inbox/items/${hard}?disposalType=hardDelete`, { method: "DELETE" });

    const { values } = await readAll(first.deltaLink);

    expect(values.map((value) => value["@removed"])).toEqual([{ reason: "changed" }, { reason: "deleted" }]);
  });

  test.each([
    ["sync-state-not-found", "SyncStateNotFound"],
    ["resync-required", "resyncRequired"],
    ["location", "SyncStateNotFound"],
  ] as const)("expired links are 410, of both kinds (%s)", async (deltaExpiry, code) => {
    const { base, emulator, mailbox, ask, readAll } = await anEmulator({ settings: { behaviours: { deltaExpiry } } });
    const first = await ask(base + INBOX_DELTA);
    const whole = await readAll(base + INBOX_DELTA, bigPages);
    await emulator.admin["expire-delta"]({ mailbox, folder: "inbox" });

    for (const link of [first.body["@odata.nextLink"] ?? "", whole.deltaLink]) {
      const { status, body, headers } = await ask(link);
      expect([status, body.error?.code]).toEqual([410, code]);
      expect(headers.has("location")).toBe(deltaExpiry === "location");
    }
    expect((await readAll(base + INBOX_DELTA, bigPages)).values).toHaveLength(whole.values.length);
  });

  test("a token of another folder, or an altered one, is refused", async () => {
    const { base, ask, readAll } = await anEmulator();
    const { deltaLink } = await readAll(base + INBOX_DELTA, bigPages);

    expect((await ask(deltaLink.replace("/inbox/", "/archive/"))).status).toBe(400);
    expect((await ask(`${deltaLink.slice(0, -6)}AAAAAA`)).status).toBe(400);
  });

  test("empty pages, duplicates and replays lose nothing", async () => {
    const behaviours = { deltaEmptyPages: true, deltaDuplicates: true, deltaReplays: true };
    const { base, emulator, mailbox, readAll } = await anEmulator({ settings: { behaviours } });
    const plain = await readAll(`${base}/folders/inbox/items?$top=500`);

    const first = await readAll(base + INBOX_DELTA);
    const { ids } = await emulator.admin["create-items"]({ mailbox, folder: "inbox" });
    const second = await readAll(first.deltaLink);
    const third = await readAll(second.deltaLink);

    expect(new Set(idsOf(first.values))).toEqual(new Set(idsOf(plain.values)));
    expect(first.values.length).toBeGreaterThan(plain.values.length);
    expect(first.pages).toBeGreaterThan(Math.ceil(plain.values.length / 10));
    expect(new Set(idsOf(second.values))).toEqual(new Set(ids));
    expect(new Set(idsOf(third.values))).toEqual(new Set(ids));
  });

  const EVERY_PROPERTY = ["changeKey", "categories", "createdDateTime", "lastModifiedDateTime", "size", "type"];

  test.each([
    ["id", []],
    ["version", ["changeKey", "lastModifiedDateTime"]],
    ["changed", ["changeKey", "categories", "lastModifiedDateTime"]],
    ["all", EVERY_PROPERTY],
  ] as const)("a later round may show of a changed item no more than: %s", async (deltaItemsShow, shown) => {
    const { base, emulator, mailbox, readAll } = await anEmulator({ settings: { behaviours: { deltaItemsShow } } });
    const first = await readAll(base + INBOX_DELTA, { prefer: "odata.maxpagesize=1" });
    const [item = ""] = idsOf(first.values);
    await emulator.admin["change-item"]({ mailbox, item, categories: ["Travel"] });
    const { ids } = await emulator.admin["create-items"]({ mailbox, folder: "inbox" });
    await emulator.admin["change-item"]({ mailbox, item: ids[0] ?? "", categories: ["Travel"] });
    await emulator.admin["change-item"]({ mailbox, item, subject: "Once more" });

    const second = await readAll(first.deltaLink, { prefer: "odata.maxpagesize=1" });

    const namesOf = (id: string) =>
      Object.keys(second.values.find((value) => value["id"] === id) ?? {}).filter((name) => !name.startsWith("@"));
    for (const value of first.values) expect(Object.keys(value)).toEqual(expect.arrayContaining(EVERY_PROPERTY));
    expect(namesOf(item)).toEqual(["id", ...shown]);
    expect(namesOf(ids[0] ?? "")).toEqual(["id", ...EVERY_PROPERTY]);
  });

  test("a later round may show of each changed item something else", async () => {
    const settings = { behaviours: { deltaItemsShow: "drawn" as const } };
    const { base, emulator, mailbox, readAll } = await anEmulator({ settings });
    const first = await readAll(base + INBOX_DELTA, bigPages);
    for (const item of idsOf(first.values)) await emulator.admin["change-item"]({ mailbox, item, subject: "Changed" });

    const { values } = await readAll(first.deltaLink);

    expect(new Set(values.map((value) => Object.keys(value).length)).size).toBe(3);
  });

  test("a page may show an item removed, back and removed again", async () => {
    const settings = { behaviours: { deltaFlickers: true } };
    const { base, emulator, mailbox, readAll } = await anEmulator({ settings });
    const first = await readAll(base + INBOX_DELTA, bigPages);
    const [removed = "", changed = ""] = idsOf(first.values);
    await emulator.admin["remove-item"]({ mailbox, item: removed });
    await emulator.admin["change-item"]({ mailbox, item: changed, subject: "Changed" });

    const { values, pages } = await readAll(first.deltaLink, { prefer: "odata.maxpagesize=2" });

    const gone = (id: string) => ({ id, "@removed": { reason: "deleted" } });
    const [before] = first.values;
    expect(values).toEqual([
      ...[gone(removed), before, gone(removed)],
      ...[gone(changed), expect.objectContaining({ id: changed, type: "IPM.Note" })],
    ]);
    expect(pages).toBe(1);
    expect(new Set(idsOf(first.values)).size).toBe(first.values.length);
  });

  test("changes may show late", async () => {
    let time = Date.UTC(2026, 0, 1);
    const settings = { behaviours: { deltaDelayMs: 5000 } };
    const { base, emulator, mailbox, readAll } = await anEmulator({ settings }, { now: () => time });
    const first = await readAll(base + INBOX_DELTA, bigPages);
    await emulator.admin["create-items"]({ mailbox, folder: "inbox" });

    const early = await readAll(first.deltaLink);
    time += 5000;
    const late = await readAll(early.deltaLink);

    expect([early.values.length, late.values.length]).toEqual([0, 1]);
  });

  test("beta refuses $select, v1.0 keeps it through the round", async () => {
    const { base, ask, readAll } = await anEmulator();

    const beta = await ask(`${base.replace("v1.0", "beta")}${INBOX_DELTA}?$select=type`);
    const { values } = await readAll(`${base}${INBOX_DELTA}?$select=type`);

    expect(beta.status).toBe(400);
    expect(values.every((value) => "type" in value && !("size" in value))).toBe(true);
  });

  test("four billion items start at once and page without being held", async () => {
    // So many that no start could do anything with each of them within the limit of a test.
    const items = 4_000_000_000;
    const before = process.memoryUsage().rss;
    const { base, ask } = await anEmulator({
      mailboxes: [{ kind: "generated", userPrincipalName: UPN, items, layout: "inbox-only" }],
    });

    let link = base + INBOX_DELTA;
    for (let page = 0; page < 20; page++) {
      const { body } = await ask(link, { headers: { prefer: "odata.maxpagesize=1000" } });
      expect(body.value).toHaveLength(1000);
      link = body["@odata.nextLink"] ?? "";
    }
    const last = await ask(`${base}/folders/inbox/items?$skip=${items - 2}`);

    expect(last.body.value).toHaveLength(2);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });
});
