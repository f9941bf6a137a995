import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { anEmulator, idsOf, UPN } from "./kit.ts";

const HEADER = "010000000800000000000000010000000300000018000000";

/** An emulator, its first inbox item and that item's stream. */
const withStream = async (options: Parameters<typeof anEmulator>[0] = {}) => {
  const kit = await anEmulator(options);
  const list = await kit.ask(`${kit.base}/folders/inbox/items?$top=30`);
  const ids = idsOf(list.body.value ?? []);
  const data = await kit.exportOne(ids[0] ?? "");
  const folder = await kit.folderId();
  const url = await kit.importUrl();
  const post = (body: unknown, to = url) => kit.ask(to, { body, token: "" });
  return { ...kit, ids, data, folder, url, post };
};

const inboxCount = async ({ emulator, mailbox }: Awaited<ReturnType<typeof withStream>>): Promise<number> =>
  (await emulator.admin.folders({ mailbox })).find((listed) => listed.wellKnownName === "inbox")?.items ?? 0;

describe("exportItems", () => {
  test("answers each id with a stream that begins as real ones do, larger than `size`, always the same", async () => {
    const { base, ask, ids, data, exportOne } = await withStream();
    const asked = ids.slice(0, 20);

    const { body } = await ask(`${base}/exportItems`, { body: { itemIds: asked } });
    const item = await ask(`${base}/folders/inbox/items/${ids[0]}`);
    const stream = Buffer.from(data, "base64");

    expect(new Set(body.value?.map((value) => value["itemId"]))).toEqual(new Set(asked));
    expect(Object.keys(body.value?.[0] ?? {})).toEqual(["itemId", "changeKey", "data"]);
    expect(stream.subarray(0, 24).toString("hex")).toBe(HEADER);
    expect(stream.toString("base64")).toBe(data);
    expect(stream.length).toBeGreaterThan(Number(item.body["size"]) * 1.3);
    expect(body.value?.find((value) => value["itemId"] === ids[0])?.["changeKey"]).toBe(item.body["changeKey"]);
    expect(await exportOne(ids[0] ?? "")).toBe(data);
  });

  test.each([0, 21])("refuses %i ids", async (count) => {
    const { base, ask, ids } = await withStream();

    expect((await ask(`${base}/exportItems`, { body: { itemIds: ids.slice(0, count) } })).status).toBe(400);
  });

  test("fails item by item", async () => {
    const { base, ask, emulator, ids } = await withStream();
    const [good = "", corrupt = "", missing = ""] = ids;
    await emulator.admin["add-fault"]({
      kind: "export-item",
      itemIds: [corrupt],
      outcome: "error",
      key: "Error",
    });
    await emulator.admin["add-fault"]({ kind: "export-item", itemIds: [missing], outcome: "missing", count: 1 });

    const first = await ask(`${base}/exportItems`, { body: { itemIds: [good, corrupt, missing, "nonsense"] } });
    const again = await ask(`${base}/exportItems`, { body: { itemIds: [missing] } });

    const byId = new Map(first.body.value?.map((value) => [value["itemId"], value]));
    expect(byId.get(good)).toHaveProperty("data");
    expect(byId.get(corrupt)).toMatchObject({ Error: { code: "ErrorItemCorrupt" } });
    expect(byId.get("nonsense")).toMatchObject({ error: { code: "ErrorItemNotFound" } });
    expect(byId.has(missing)).toBe(false);
    expect(again.body.value).toHaveLength(1);
  });

  test.each(["ErrorItemNotFound", "ErrorItemCorrupt"])("refuses an item some times, then has it: %s", async (code) => {
    const { base, ask, emulator, ids, data } = await withStream();
    const [item = "", other = ""] = ids;
    await emulator.admin["add-fault"]({
      kind: "export-item",
      itemIds: [item, other],
      outcome: "error",
      code,
      count: 2,
    });
    const exported = async (id: string) => (await ask(`${base}/exportItems`, { body: { itemIds: [id] } })).body.value;

    for (let time = 0; time < 2; time++) expect(await exported(item)).toMatchObject([{ error: { code } }]);

    expect(await exported(item)).toMatchObject([{ itemId: item, data }]);
    expect(await exported(other)).toMatchObject([{ error: { code } }]);
  });

  test("can answer with nothing at all", async () => {
    const { base, ask, emulator, ids } = await withStream();
    await emulator.admin["add-fault"]({ kind: "export-empty", count: 1 });

    const empty = await ask(`${base}/exportItems`, { body: { itemIds: ids.slice(0, 2) } });
    const full = await ask(`${base}/exportItems`, { body: { itemIds: ids.slice(0, 2) } });

    expect([empty.status, empty.body.value?.length, full.body.value?.length]).toEqual([200, 0, 2]);
    expect(await emulator.admin.faults({})).toMatchObject([{ struck: 1 }]);
  });
});

describe("import", () => {
  test("an imported item exports as the very bytes imported, with the same search key", async () => {
    const { base, ask, data, folder, post, exportOne } = await withStream();
    const expand = "singleValueExtendedProperties($filter=id eq 'Binary 0x300B')";
    const path = `${base}/folders/inbox/items?$orderby=createdDateTime desc&$top=1&$expand=${expand}`;
    const original = Buffer.from(data, "base64");

    const { status, body } = await post({ FolderId: folder, Mode: "create", Data: data });
    const newest = (await ask(path)).body.value?.[0];

    expect([status, newest?.["id"]]).toEqual([200, body["itemId"]]);
    expect(await exportOne(String(body["itemId"]))).toBe(data);
    expect(Buffer.from(String(body["changeKey"]), "base64")).toHaveLength(22);
    expect(Buffer.from(String(newest?.["changeKey"]), "base64")).toHaveLength(30);
    expect(newest?.["changeKey"]).toMatch(/^CQAAABYAAAC/);
    const searchKey =
      z.array(z.object({ value: z.string() })).parse(newest?.["singleValueExtendedProperties"])[0]?.value ?? "none";
    expect(original.includes(Buffer.from(searchKey, "base64").toString("hex"))).toBe(true);
  });

  test("an answer to an import has the version of the item, has none, or one that is over by then", async () => {
    const { base, ask, data, folder, post, emulator } = await withStream();
    const imported = async (behaviours: Record<string, boolean>) => {
      await emulator.admin.settings({ behaviours });
      const { body } = await post({ FolderId: folder, Mode: "create", Data: data });
      const live = await ask(`${base}/folders/inbox/items/${String(body["itemId"])}`);
      const [told, shown] = [body["changeKey"], live.body["changeKey"]].map((key) =>
        Buffer.from(String(key), "base64"),
      );
      return "changeKey" in body ? shown?.subarray(8).equals(told ?? Buffer.alloc(0)) : undefined;
    };

    expect(await imported({})).toBe(true);
    expect(await imported({ importTellsChangeKey: false })).toBeUndefined();
    expect(await imported({ importTellsChangeKey: true, importedItemsMoveOn: true })).toBe(false);
  });

  test("creating twice makes two items, and a delta shows both", async () => {
    const { base, data, folder, post, readAll } = await withStream();
    const { deltaLink } = await readAll(`${base}/folders/inbox/items/delta`, { prefer: "odata.maxpagesize=500" });

    const made = [
      await post({ FolderId: folder, Mode: "create", Data: data }),
      await post({ FolderId: folder, Mode: "create", Data: data }),
    ].map(({ body }) => body["itemId"]);

    expect(new Set(made).size).toBe(2);
    expect(idsOf((await readAll(deltaLink)).values)).toEqual(made);
  });

  test("one altered byte is refused, wherever it is", async () => {
    const { data, folder, post } = await withStream();
    const stream = Buffer.from(data, "base64");

    for (const at of [0, 26, 40, stream.length >> 1, stream.length - 40, stream.length - 1]) {
      const altered = Buffer.from(stream);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const { status, body } = await post({ FolderId: folder, Mode: "create", Data: altered.toString("base64") });
      expect([status, body.error?.code]).toEqual([400, "ErrorCorruptData"]);
    }
  });

  test.each([
    ["no folder", { FolderId: undefined }],
    ["no mode", { Mode: undefined }],
    ["no data", { Data: undefined }],
    ["another mode", { Mode: "upsert" }],
    ["create with an item id", { ItemId: "x" }],
    ["create with a change key", { ChangeKey: "x" }],
    ["update without an item id", { Mode: "update" }],
    ["data in the URL alphabet", { Data: "-_-_" }],
    ["data that is no base64", { Data: "****" }],
    ["cut data", { Data: "AQAAAAg" }],
    ["empty data", { Data: "" }],
  ])("refuses %s", async (_, change) => {
    const { data, folder, post } = await withStream();

    expect((await post({ FolderId: folder, Mode: "create", Data: data, ...change })).status).toBe(400);
  });

  test("takes escaped base64 and any order of fields", async () => {
    const { data, folder, url } = await withStream();
    const escaped = data.replaceAll("/", "\\/").replaceAll("+", "\\u002B");
    const body = `{"Data":"${escaped}", "Mode":"create","FolderId":"${folder}"}`;

    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });

    expect(response.status).toBe(200);
  });

  test("an unknown folder is 404", async () => {
    const { data, post } = await withStream();

    expect((await post({ FolderId: "nowhere", Mode: "create", Data: data })).status).toBe(404);
  });

  test("an update keeps the id, takes either form of the change key, and only the current one", async () => {
    const { base, ask, ids, folder, post, exportOne } = await withStream();
    const ItemId = ids[1] ?? "";
    const { body: before } = await ask(`${base}/folders/inbox/items/${ItemId}`);
    const update = { FolderId: folder, Mode: "update", ItemId, Data: await exportOne(ids[2] ?? "") };

    const long = await post({ ...update, ChangeKey: before["changeKey"] });
    const short = await post({ ...update, ChangeKey: long.body["changeKey"] });
    const stale = await post({ ...update, ChangeKey: before["changeKey"] });
    const sent = String((await ask(`${base}/folders/sentitems`)).body["id"]);
    const elsewhere = await post({ ...update, FolderId: sent, ChangeKey: short.body["changeKey"] });

    expect([long.status, short.status, stale.status, elsewhere.status]).toEqual([200, 200, 409, 404]);
    expect(short.body["itemId"]).toBe(ItemId);
    expect(await exportOne(ItemId)).toBe(update.Data);
  });

  test("an Authorization header is refused and recorded", async () => {
    const { emulator, url, data, folder, ask } = await withStream();

    const { status } = await ask(url, { body: { FolderId: folder, Mode: "create", Data: data } });

    expect(status).toBe(401);
    expect(await emulator.admin.counters({})).toMatchObject({ violations: [expect.stringContaining("Authorization")] });
  });

  test("a session serves its own mailbox, verbatim, until it expires", async () => {
    let time = Date.UTC(2026, 0, 1);
    const kit = await anEmulator({ settings: { behaviours: { sessionLifetimeMs: 60_000 } } }, { now: () => time });
    const { base, ask } = kit;
    const session = await ask(`${base}/createImportSession`, { method: "POST" });
    const url = String(session.body["importUrl"]);
    const status = async (to: string) => (await ask(to, { body: {}, token: "" })).status;

    expect(session.body["expirationDateTime"]).toBe("2026-01-01T00:01:00.0000000Z");
    expect(await status(url)).toBe(400);
    expect(await status(`${url.slice(0, -4)}AAAA`)).toBe(401);
    expect(await status(`${url}&extra=1`)).toBe(401);
    expect(await status(url.replace("MBX:", "MBX:0"))).toBe(401);
    time += 60_000;
    expect(await status(url)).toBe(401);
  });

  test("a reset after the commit leaves the item behind", async () => {
    const kit = await withStream({
      faults: [{ kind: "reset", endpoint: "import-item", when: "after-commit", count: 1 }],
    });
    const before = await inboxCount(kit);

    await expect(kit.post({ FolderId: kit.folder, Mode: "create", Data: kit.data })).rejects.toThrow();

    expect(await inboxCount(kit)).toBe(before + 1);
  });

  test.each([
    ["before", 0],
    ["after-commit", 1],
  ] as const)("an error that answers an import %s leaves %i items behind", async (when, items) => {
    const kit = await withStream({
      faults: [{ kind: "status", endpoint: "import-item", status: 504, when, count: 1 }],
    });
    const before = await inboxCount(kit);

    expect((await kit.post({ FolderId: kit.folder, Mode: "create", Data: kit.data })).status).toBe(504);

    expect(await inboxCount(kit)).toBe(before + items);
  });

  test("the admin listing tells the hash of what an export gives", async () => {
    const { emulator, mailbox, ids, data } = await withStream();
    const response = await fetch(`${emulator.graphUrl}/__admin/items?mailbox=${mailbox}&folder=inbox`);
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

    const listed = lines.find((line) => line["id"] === ids[0]);

    expect(listed?.["sha256"]).toBe(createHash("sha256").update(Buffer.from(data, "base64")).digest("hex"));
  });

  test("a changed item, imported or not, has a stream that imports again", async () => {
    const { emulator, mailbox, data, folder, post, exportOne } = await withStream();
    const made = await post({ FolderId: folder, Mode: "create", Data: data });
    const item = String(made.body["itemId"]);
    await emulator.admin["change-item"]({ mailbox, item, subject: "Another subject" });

    const changed = await exportOne(item);
    const again = await post({ FolderId: folder, Mode: "create", Data: changed });

    expect(changed).not.toBe(data);
    expect(Buffer.from(changed, "base64").includes("Another subject")).toBe(true);
    expect(again.status).toBe(200);
  });
});

describe("archive", () => {
  const archived = async () => {
    const archive = { items: 60, auxiliaryFolders: ["user-0"] };
    const kit = await anEmulator({ mailboxes: [{ kind: "generated", userPrincipalName: UPN, archive }] });
    const user = (await kit.emulator.admin.users({}))[0];
    const folders = await kit.emulator.admin.folders({ mailbox: user?.archiveMailboxId ?? "" });
    const moved = folders.find(({ key }) => key === "user-0")?.id ?? "";
    return { ...kit, moved, archiveId: user?.archiveMailboxId ?? "", auxiliaryId: user?.auxiliaryMailboxId ?? "" };
  };
  const at = (version: string, mailbox: string) => `/${version}/admin/exchange/mailboxes/${mailbox}`;

  test("v1.0 refuses it, beta knows no well-known names in it", async () => {
    const { ask, archiveId } = await archived();

    const v1 = await ask(`${at("v1.0", archiveId)}/folders`);
    const named = await ask(`${at("beta", archiveId)}/folders/inbox`);

    expect([v1.status, v1.body.error?.message]).toEqual([400, "Operation on Archive mailbox not allowed"]);
    expect(named.status).toBe(400);
  });

  test("what lives in the auxiliary archive is answered with its place", async () => {
    const { ask, archiveId, auxiliaryId, moved } = await archived();

    const redirect = await ask(`${at("beta", archiveId)}/folders/${moved}/items?$top=2`);
    const items = await ask(redirect.headers.get("location") ?? "");
    const [id = ""] = idsOf(items.body.value ?? []);
    const exported = await ask(`${at("beta", archiveId)}/exportItems`, { body: { itemIds: [id] } });
    const error = exported.body.value?.[0]?.["Error"] as { code: string; message: string };
    const followed = await ask(error.message, { body: { itemIds: [id] } });

    expect(redirect.status).toBe(308);
    expect(redirect.headers.get("location")).toContain(auxiliaryId);
    expect(error.code).toBe("ErrorArchiveFolderMovedPermanently");
    expect(followed.body.value?.[0]).toHaveProperty("data");
  });

  test("what lies below a folder of the auxiliary archive lies there too", async () => {
    const { ask, emulator, archiveId, auxiliaryId, moved } = await archived();
    const folders = await emulator.admin.folders({ mailbox: archiveId });
    const nested = folders.find(({ parentId }) => parentId === moved)?.id ?? "";

    const children = await ask(`${at("beta", auxiliaryId)}/folders/${moved}/childFolders`);

    expect(idsOf(children.body.value ?? [])).toContain(nested);
    expect((await ask(`${at("beta", archiveId)}/folders/${nested}`)).status).toBe(308);
  });

  test("an import for it is 409 and names the mailbox to use", async () => {
    const { ask, exportOne, importUrl, base, archiveId, auxiliaryId, moved } = await archived();
    const [id = ""] = idsOf((await ask(`${base}/folders/inbox/items?$top=1`)).body.value ?? []);
    const body = { FolderId: moved, Mode: "create", Data: await exportOne(id) };

    const refused = await ask(await importUrl("beta", archiveId), { body, token: "" });
    const taken = await ask(await importUrl("beta", auxiliaryId), { body, token: "" });

    expect(refused.status).toBe(409);
    expect(refused.body["Message"]).toContain(auxiliaryId);
    expect(taken.status).toBe(200);
  });
});
