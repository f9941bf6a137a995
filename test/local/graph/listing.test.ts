import { describe, expect, test } from "vitest";
import type { MailboxAct } from "../../../local/graph/mailbox-acts.ts";
import { anEmulator, idsOf, UPN } from "./kit.ts";

describe("folders", () => {
  test("pages by ten with an encoded $skip, root folders only", async () => {
    const { base, ask, readAll } = await anEmulator({ settings: { behaviours: { hiddenFoldersListed: true } } });

    const first = await ask(`${base}/folders`);
    const { values } = await readAll(`${base}/folders`);

    expect(first.body.value).toHaveLength(10);
    expect(first.body["@odata.nextLink"]).toMatch(/\/folders\?%24skip=10$/);
    expect(Object.keys(JSON.parse(first.text)).at(-1)).toBe("@odata.nextLink");
    expect(new Set(values.map((folder) => folder["parentFolderId"])).size).toBe(1);
    expect(values.map((folder) => folder["wellKnownName"])).toContain("sentitems");
  });

  test("finds a folder by id and by well-known name in any letter case", async () => {
    const { base, ask } = await anEmulator();

    const byName = await ask(`${base}/folders/Inbox`);
    const byId = await ask(`${base}/folders/${String(byName.body["id"])}`);

    expect(byId.body["displayName"]).toBe("Inbox");
    expect((await ask(`${base}/folders/${String(byName.body["id"]).toLowerCase()}`)).status).toBe(404);
  });

  test("creates, renames and deletes a folder, once for each name", async () => {
    const { base, ask } = await anEmulator();
    const body = { displayName: "Restored", type: "IPF.Note" };

    const created = await ask(`${base}/folders/inbox/childFolders`, { body });
    const again = await ask(`${base}/folders/inbox/childFolders`, { body: { ...body, displayName: "RESTORED" } });
    const path = `${base}/folders/${String(created.body["id"])}`;
    const renamed = await ask(path, { method: "PATCH", body: { displayName: "Back" } });
    const retyped = await ask(path, { method: "PATCH", body: { type: "IPF.Task" } });
    const withoutRef = await ask(path, { method: "DELETE" });
    const deleted = await ask(`${path}/$ref`, { method: "DELETE" });

    expect([created.status, again.status, again.body.error?.code]).toEqual([201, 409, "ErrorFolderExists"]);
    expect([renamed.status, renamed.body["displayName"]]).toEqual([200, "Back"]);
    expect([retyped.status, withoutRef.status, deleted.status]).toEqual([400, 405, 204]);
    expect((await ask(path)).status).toBe(404);
  });

  test("may move a deleted folder to Deleted Items, with its id and what is in it, and from there away", async () => {
    const { base, ask } = await anEmulator({ settings: { behaviours: { deletedFoldersGo: "deleted-items" } } });
    const deletedItems = (await ask(`${base}/folders/deleteditems`)).body["id"];
    const { body: top } = await ask(`${base}/folders`, { body: { displayName: "Restored", type: "IPF.Note" } });
    const path = `${base}/folders/${String(top["id"])}`;
    const { body: below } = await ask(`${path}/childFolders`, { body: { displayName: "Inbox", type: "IPF.Note" } });

    await ask(`${path}/$ref`, { method: "DELETE" });
    expect((await ask(path)).body["parentFolderId"]).toBe(deletedItems);
    expect((await ask(`${base}/folders/${String(below["id"])}`)).status).toBe(200);
    await ask(`${path}/$ref`, { method: "DELETE" });
    expect((await ask(path)).status).toBe(404);
  });

  test("shows search folders by their property", async () => {
    const { base, emulator, mailbox, ask } = await anEmulator();
    const { id } = await emulator.admin["create-folder"]({ mailbox, displayName: "Unread", search: true });
    const expand = "$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x3601')";

    const { body } = await ask(`${base}/folders/${id}?${expand}`);

    expect(body["singleValueExtendedProperties"]).toEqual([{ id: "Integer 0x3601", value: "2" }]);
  });

  test("shows hidden folders by their property", async () => {
    const { base, ask } = await anEmulator();
    const expand = "$expand=singleValueExtendedProperties($filter=id eq 'Boolean 0x10F4')";

    const query = `includeHiddenFolders=true&$filter=displayName eq 'PersonMetadata'&${expand}`;
    const { body } = await ask(`${base}/folders?${query}`);

    expect(body.value?.[0]?.["singleValueExtendedProperties"]).toEqual([{ id: "Boolean 0x10f4", value: "true" }]);
  });

  test("a folder delta tells what was created and removed since", async () => {
    const { base, ask, readAll } = await anEmulator();
    const first = await readAll(`${base}/folders/delta`, { prefer: "odata.maxpagesize=4" });
    const created = await ask(`${base}/folders`, { body: { displayName: "New", type: "IPF.Note" } });
    const second = await readAll(first.deltaLink);
    await ask(`${base}/folders/${String(created.body["id"])}/$ref`, { method: "DELETE" });
    const third = await readAll(second.deltaLink);

    expect(new Set(idsOf(first.values)).size).toBe(15);
    expect(idsOf(second.values)).toEqual([created.body["id"]]);
    expect(third.values).toEqual([{ id: created.body["id"], "@removed": { reason: "deleted" } }]);
    expect((await readAll(third.deltaLink)).values).toEqual([]);
  });

  test("may show no wellKnownName anywhere, while paths still take the names", async () => {
    const { base, emulator, mailbox, ask, readAll } = await anEmulator({
      settings: { behaviours: { wellKnownNames: false } },
    });
    await emulator.admin["create-folder"]({ mailbox, displayName: "Finder", wellKnownName: "searchfolders" });
    await emulator.admin["create-folder"]({ mailbox, parent: "searchfolders", displayName: "Unread Mail" });

    const listed = await readAll(`${base}/folders`);
    const below = await readAll(`${base}/folders/inbox/childFolders`);
    const changed = await readAll(`${base}/folders/delta`);
    const finder = await ask(`${base}/folders/SearchFolders`);
    const found = await readAll(`${base}/folders/searchfolders/childFolders`);

    const shown = [...listed.values, ...below.values, ...changed.values, ...found.values, finder.body];
    expect(shown.filter((folder) => "wellKnownName" in folder)).toEqual([]);
    expect(finder.body["displayName"]).toBe("Finder");
    expect(found.values.map((folder) => folder["displayName"])).toEqual(["Unread Mail"]);
    expect(changed.values.map((folder) => folder["displayName"])).toContain("Finder");
    await emulator.admin.settings({ behaviours: { wellKnownNames: true } });
    expect((await ask(`${base}/folders/searchfolders`)).body["wellKnownName"]).toBe("searchfolders");
  });

  test("lists hidden folders only where they are asked for, at the top and below", async () => {
    const { base, emulator, mailbox, ask, readAll } = await anEmulator();
    await emulator.admin["create-folder"]({ mailbox, parent: "inbox", displayName: "Rules", hidden: true });
    const lists = [`${base}/folders`, `${base}/folders/inbox/childFolders`];
    const asking = async (query: string) =>
      (await Promise.all(lists.map((list) => readAll(`${list}${query}`)))).flatMap(({ values }) => values);

    const plain = await asking("");
    const whole = await asking("?includeHiddenFolders=true");
    const changed = await readAll(`${base}/folders/delta`);

    const hiddenOnes = whole.filter((folder) => folder["isHidden"] === true);
    expect(hiddenOnes.map((folder) => folder["displayName"])).toEqual(["PersonMetadata", "Rules"]);
    expect(whole.filter((folder) => folder["isHidden"] === false).map(({ id }) => id)).toEqual(idsOf(plain));
    expect(idsOf(changed.values)).toEqual(expect.arrayContaining(idsOf(hiddenOnes)));
    const one = await ask(`${base}/folders?includeHiddenFolders=true&$select=isHidden&$top=1`);
    expect(one.body["@odata.nextLink"]).toContain("includeHiddenFolders=true");
    expect(one.body.value).toEqual([
      { "@odata.type": "#microsoft.graph.mailboxFolder", id: expect.any(String), isHidden: false },
    ]);
  });

  test("may refuse to be asked for hidden folders, or for folders by their names", async () => {
    const settings = { behaviours: { hiddenFoldersRefused: true, wellKnownPaths: false } };
    const { base, ask } = await anEmulator({ settings });

    const statuses = ["folders?includeHiddenFolders=true", "folders", "folders/inbox", "folders/searchfolders"];

    expect(await Promise.all(statuses.map(async (path) => (await ask(`${base}/${path}`)).status))).toEqual([
      400, 200, 400, 404,
    ]);
  });

  test("change after an answer that a rule names, and not in it", async () => {
    const { base, emulator, mailbox, readAll } = await anEmulator();
    const namesIn = async (path: string) =>
      (await readAll(`${base}/folders${path}`)).values.map((folder) => folder["displayName"]);
    const add = (act: MailboxAct) =>
      emulator.admin["add-fault"]({ kind: "meanwhile", endpoint: "folders", mailbox, count: 1, act });
    await emulator.admin["create-folder"]({ mailbox, parent: "inbox", displayName: "Low", wellKnownName: "clutter" });
    await add({ act: "create", displayName: "Made", type: "IPF.Note" });
    await add({ act: "change", folder: "clutter", parent: "drafts", displayName: "Lower" });
    await add({ act: "remove", folder: "archive" });
    await add({ act: "remove", folder: "not there" });

    const before = await namesIn("");
    const after = await namesIn("");

    expect(before).toContain("Archive");
    expect(after).toEqual([...before.filter((name) => name !== "Archive"), "Made"]);
    expect([await namesIn("/inbox/childFolders"), await namesIn("/drafts/childFolders")]).toEqual([
      ["Clients", "Team"],
      ["Lower"],
    ]);
  });

  test("may leave childFolderCount out", async () => {
    const { base, ask, readAll } = await anEmulator({ settings: { behaviours: { childFolderCounts: false } } });

    const listed = await readAll(`${base}/folders`);
    const changed = await readAll(`${base}/folders/delta`);
    const inbox = await ask(`${base}/folders/inbox`);

    expect([...listed.values, ...changed.values, inbox.body].filter((one) => "childFolderCount" in one)).toEqual([]);
    expect((await readAll(`${base}/folders/inbox/childFolders`)).values.length).toBeGreaterThan(0);
  });

  test("a later folder delta may show of a folder its id and what changed, even over pages", async () => {
    const settings = { behaviours: { deltaFoldersShow: "changed" as const } };
    const { base, emulator, mailbox, ask, readAll, folderId } = await anEmulator({ settings });
    const create = async (displayName: string) =>
      String((await ask(`${base}/folders`, { body: { displayName, type: "IPF.Note" } })).body["id"]);
    const old = await create("Old");
    const first = await readAll(`${base}/folders/delta`);
    await emulator.admin["change-folder"]({ mailbox, folder: old, displayName: "Renamed" });
    await emulator.admin["create-items"]({ mailbox, folder: old });
    await emulator.admin["change-folder"]({ mailbox, folder: old, parent: "inbox" });
    await emulator.admin["create-items"]({ mailbox, folder: "inbox" });
    const fresh = await create("Fresh");
    await emulator.admin["change-folder"]({ mailbox, folder: fresh, displayName: "Fresher" });

    const { values } = await readAll(first.deltaLink, { prefer: "odata.maxpagesize=1" });

    const inbox = await folderId();
    const shown = new Map(values.map((value) => [value["id"], value]));
    expect(shown.get(old)).toEqual({ id: old, displayName: "Renamed", parentFolderId: inbox, totalItemCount: 1 });
    expect(shown.get(inbox)).toEqual({ id: inbox, childFolderCount: 3, totalItemCount: expect.any(Number) });
    expect(shown.get(fresh)).toMatchObject({ displayName: "Fresher", type: "IPF.Note", childFolderCount: 0 });
    expect(first.values.every((value) => "type" in value)).toBe(true);
  });
});

describe("items", () => {
  test("selects, counts and keeps the query in the nextLink", async () => {
    const { base, ask } = await anEmulator();

    const { body } = await ask(`${base}/folders/inbox/items?$select=type,size&$top=1&$count=true`);

    expect(Object.keys(body.value?.[0] ?? {})).toEqual(["@odata.type", "@odata.etag", "id", "size", "type"]);
    expect(body["@odata.nextLink"]).toMatch(/\?%24select=type%2Csize&%24top=1&%24count=true&%24skip=1$/);
    expect(body["@odata.count"]).toBe(Number((await ask(`${base}/folders/inbox`)).body["totalItemCount"]));
  });

  test("a removal between two pages shifts the rest", async () => {
    const { base, ask } = await anEmulator();
    const whole = idsOf((await ask(`${base}/folders/inbox/items?$top=12`)).body.value ?? []);
    const first = await ask(`${base}/folders/inbox/items`);

    await ask(`${base}/folders/inbox/items/${whole[0]}?disposalType=hardDelete`, { method: "DELETE" });
    const second = await ask(first.body["@odata.nextLink"] ?? "");

    expect(idsOf(second.body.value ?? [])[0]).toBe(whole[11]);
  });

  test("filters and orders by dates", async () => {
    const { base, readAll } = await anEmulator();
    const all = await readAll(`${base}/folders/inbox/items?$top=200`);
    const created = all.values.map((item) => String(item["createdDateTime"])).sort();
    const [from, to] = [created[5], created[9]];

    const some = await readAll(
      `${base}/folders/inbox/items?$filter=createdDateTime ge ${from} and createdDateTime lt ${to}` +
        "&$orderby=createdDateTime desc&$top=3",
    );

    expect(some.values.map((item) => item["createdDateTime"])).toEqual(created.slice(5, 9).toReversed());
  });

  test("expands extended properties under their short ids, and leaves out what is not there", async () => {
    const { base, ask } = await anEmulator();
    const asked = ["String 0x0037", "SystemTime 0x0E06", "Binary 0x300B", "Boolean 0x0E1B", "String 0x9999"];
    const clause = asked.map((id) => `id eq '${id}'`).join(" or ");

    const { body } = await ask(
      `${base}/folders/inbox/items?$top=1&$select=id&$expand=singleValueExtendedProperties($filter=${clause})`,
    );
    const properties = body.value?.[0]?.["singleValueExtendedProperties"] as { id: string; value: string }[];

    expect(properties.map(({ id }) => id)).toEqual([
      "String 0x37",
      "SystemTime 0xe06",
      "Binary 0x300b",
      "Boolean 0xe1b",
    ]);
    expect(Buffer.from(properties[2]?.value ?? "", "base64")).toHaveLength(16);
  });

  test.each([
    ["$search=x", "items"],
    ["$filter=subject eq 'x'", "items"],
    ["$filter=createdDateTime ge yesterday", "items"],
    ["$orderby=size", "items"],
    ["$top=x", "items"],
    ["$expand=attachments", "items"],
    ["$filter=receivedDateTime ge 2020-01-01", "items/delta"],
    ["$expand=singleValueExtendedProperties($filter=id eq 'String 0x37')", "items/delta"],
  ])("refuses %s on %s", async (option, path) => {
    const { base, ask } = await anEmulator();

    expect((await ask(`${base}/folders/inbox/${path}?${option}`)).status).toBe(400);
  });

  test("deletes only with a disposal type", async () => {
    const { base, ask } = await anEmulator();
    const [id] = idsOf((await ask(`${base}/folders/inbox/items?$top=1`)).body.value ?? []);

    const bare = await ask(`${base}/folders/inbox/items/${id}`, { method: "DELETE" });
    const soft = await ask(`${base}/folders/inbox/items/${id}?disposalType=softDelete`, { method: "DELETE" });

    expect([bare.status, soft.status]).toEqual([400, 204]);
    expect((await ask(`${base}/folders/inbox/items/${id}`)).status).toBe(404);
  });

  test("ids are long, case-sensitive and of one mailbox", async () => {
    const second = { kind: "generated" as const, userPrincipalName: "b@contoso.example", items: 50, seed: UPN };
    const { base, ask, emulator } = await anEmulator({
      mailboxes: [{ kind: "generated", userPrincipalName: UPN, items: 50 }, second],
    });
    const other = (await emulator.admin.users({}))[1]?.mailboxId;
    const [id = ""] = idsOf((await ask(`${base}/folders/inbox/items?$top=1`)).body.value ?? []);

    const elsewhere = await ask(`/v1.0/admin/exchange/mailboxes/${other}/exportItems`, { body: { itemIds: [id] } });

    expect(id).toMatch(/^AAMkA[\w-]{146}=$/);
    expect((await ask(`${base}/folders/inbox/items/${id.toUpperCase()}`)).status).toBe(404);
    expect(elsewhere.body.value?.[0]?.["error"]).toMatchObject({ code: "ErrorItemNotFound" });
  });
});
