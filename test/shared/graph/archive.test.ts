import { describe, expect, test } from "vitest";
import type { HostedUser } from "../../../local/graph/admin.ts";
import { findArchiveId } from "../../../shared/graph/directory.ts";
import { exportItems } from "../../../shared/graph/export-items.ts";
import { ensureFolder, listFolders } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { importer, SessionElsewhereError } from "../../../shared/graph/import-item.ts";
import { openImportSession } from "../../../shared/graph/import-session.ts";
import { deltaItems, eachItem, findItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { expectedMailbox, mailboxAt, movedTarget } from "../../../shared/graph/moved-mailbox.ts";
import { collect } from "../../../shared/storage/blobs.ts";
import { aMailboxInGraph } from "../../functions/kit.ts";
import { all } from "../vault/samples.ts";
import { aGraph, TOKEN } from "./a-graph.ts";

const GRAPH = "https://graph.microsoft.com";
const AUXILIARY = "MBX:767fh867@a7809c93";
const aMailbox: MailboxAddress = { id: "MBX:e0643f21@a7809c93", kind: "archive" };

const movedTo = (location: string) => ({ status: 308, headers: { location } });

describe("a redirect to another part of an archive", () => {
  test.each([
    `/beta/admin/exchange/mailboxes/${AUXILIARY}/folders/f/items?$top=2`,
    `/beta/admin/Exchange/Mailboxes/${AUXILIARY}/folders/f/items?$top=2`,
    `/v1.0/admin/exchange/mailboxes/MBX%3A767fh867%40a7809c93/folders/f/items?$top=2`,
  ])("to %s is followed with the credential", async (location) => {
    const { client, asked } = await aGraph([movedTo(location), { body: { value: [{ id: "1" }] } }]);

    expect(await all(eachItem(client, aMailbox, "f"))).toMatchObject([{ id: "1", folderId: "f" }]);
    expect(asked[0]?.url).toContain("/beta/admin/exchange/mailboxes/MBX%3Ae0643f21%40a7809c93/folders/f/items?");
    expect(asked[1]?.url).toBe(location);
    expect(asked[1]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  test("keeps the query of the request when it has none itself", async () => {
    const location = `/beta/admin/exchange/mailboxes/${AUXILIARY}/folders/f/items`;
    const { client, asked } = await aGraph([movedTo(location), { body: { value: [] } }]);

    await all(eachItem(client, aMailbox, "f"));

    expect(asked[1]?.url).toBe(`${location}?${asked[0]?.url?.split("?")[1]}`);
  });

  test.each([
    "https://graph.example/beta/admin/exchange/mailboxes/MBX:1@2/folders",
    "https://graph.microsoft.com@evil.example/beta/admin/exchange/mailboxes/MBX:1@2/folders",
    "//evil.example/beta/admin/exchange/mailboxes/MBX:1@2/folders",
    "/v1.0/users",
    "/beta/admin/exchange/mailboxes/../../../users",
    "/beta/admin/exchange/mailboxes/other/folders",
  ])("to %s is refused, and nothing is sent there", async (location) => {
    const { client, asked } = await aGraph([movedTo(location)]);

    const failure = await listFolders(client, aMailbox).catch((error: unknown) => error);

    expect(String(failure)).toMatch(/is no mailbox at 127\.0\.0\.1:\d+: it is not followed/);
    expect(asked).toHaveLength(1);
  });

  test("is followed three times, and no further", async () => {
    const { client, asked } = await aGraph([movedTo(`/beta/admin/exchange/mailboxes/${AUXILIARY}/folders`)]);

    const failure = await listFolders(client, aMailbox).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(GraphError);
    expect(failure).toMatchObject({ status: 308 });
    expect(asked).toHaveLength(4);
  });
});

describe("movedTarget", () => {
  const asked = `${GRAPH}/beta/admin/exchange/mailboxes/MBX:1@2/folders`;

  test("always keeps TLS", () => {
    const location = `http://graph.microsoft.com/beta/admin/exchange/mailboxes/${AUXILIARY}/folders`;
    expect(() => movedTarget(GRAPH, asked, location)).toThrow(/not followed/);
  });

  test("drops a name and password in the URL", () => {
    const location = `https://a:b@graph.microsoft.com/beta/admin/exchange/mailboxes/${AUXILIARY}/folders`;
    expect(movedTarget(GRAPH, asked, location)).toBe(`${GRAPH}/beta/admin/exchange/mailboxes/${AUXILIARY}/folders`);
  });
});

describe("mailboxAt", () => {
  const ID = "MBX:5ffdc069-c31e-43fa-9542-eaf862ce18c0@601eaae7-815e-4d2e-9e48-109351d094ab";

  test.each([
    [`${GRAPH}/beta/admin/exchange/mailboxes/${ID}/exportItems`, ID],
    [`${GRAPH}/beta/admin/Exchange/Mailboxes/${ID}/exportItems`, ID],
    [`${GRAPH}/beta/admin/exchange/mailboxes/MBX%3A1%402`, "MBX:1@2"],
    [`https://evil.example/beta/admin/exchange/mailboxes/${ID}/exportItems`, undefined],
    [`${GRAPH}/beta/users/${ID}/exportItems`, undefined],
    ["The item has moved.", undefined],
    ["", undefined],
  ])("in %s is %s", (link, id) => {
    expect(mailboxAt(GRAPH, link)).toBe(id);
  });
});

test.each([
  [
    '{"Message":"Invalid import session. The target session is expected in mailbox MBX:f1-4fd0@4d2e-9e48."}',
    "MBX:f1-4fd0@4d2e-9e48",
  ],
  [
    '{"error":{"code":"","message":"Invalid import session. The target session is expected in mailbox MBX:1@2"}}',
    "MBX:1@2",
  ],
  ['{"Message":"Invalid import session. The target session is expected in mailbox ../../users."}', undefined],
  ['{"Message":"Conflict with mailbox MBX:1@2."}', undefined],
])("expectedMailbox in %s is %s", (body, id) => {
  expect(expectedMailbox(body)).toBe(id);
});

test.each(["error", "Error"])("an item that has moved names its place in `%s`", async (field) => {
  const link = `${GRAPH}/beta/admin/exchange/mailboxes/${AUXILIARY}/exportItems`;
  const error = { message: link, code: "ErrorArchiveFolderMovedPermanently" };
  const { client, asked } = await aGraph([{ body: { value: [{ itemId: "1", [field]: error }] } }]);

  const [element] = await all(exportItems(client, aMailbox, ["1"]));

  expect(await element?.outcome()).toMatchObject({ itemId: "1", errorCode: error.code, movedLink: link });
  expect(asked[0]?.url).toBe("/beta/admin/exchange/mailboxes/MBX%3Ae0643f21%40a7809c93/exportItems");
});

describe("an archive that keeps a folder in an auxiliary archive", () => {
  const anArchive = async () => {
    const archive = { items: 60, userFolders: 3, bytes: { fixed: 500 }, auxiliaryFolders: ["user-0"] };
    const kit = await aMailboxInGraph({ items: 1, archive });
    const client = kit.openGraph({ untilMs: Date.now() + 600_000 });
    const mailbox: MailboxAddress = { id: (await findArchiveId(client, kit.mailbox.userId)) ?? "", kind: "archive" };
    const held = await kit.admin.folders({ mailbox: mailbox.id });
    const expanded = held.find(({ key }) => key === "user-0");
    if (expanded === undefined) throw new Error("The archive has no expanded folder");
    return { ...kit, client, mailbox, held, expanded };
  };

  test("shows all its folders", async () => {
    const { client, mailbox, held } = await anArchive();

    const folders = await listFolders(client, mailbox);

    expect(folders.map(({ id }) => id).toSorted()).toEqual(held.map(({ id }) => id).toSorted());
  });

  test("lists and finds its items, and returns their changes", async () => {
    const { client, mailbox, expanded } = await anArchive();

    const listed = await all(eachItem(client, mailbox, expanded.id));
    const changed = await deltaItems(client, mailbox, expanded.id);
    const found = await findItem(client, mailbox, expanded.id, listed[0]?.id ?? "");

    expect(listed).toHaveLength(expanded.items);
    expect(new Set(changed.value.map(({ id }) => id))).toEqual(new Set(listed.map(({ id }) => id)));
    expect(changed.deltaLink).toBeDefined();
    expect(found).toEqual(listed[0]);
  });

  test("creates a folder below it, once", async () => {
    const { client, mailbox, expanded } = await anArchive();
    const wanted = { displayName: "Restored", type: "IPF.Note", parentId: expanded.id };

    const first = await ensureFolder(client, mailbox, wanted);

    expect(first.created).toBe(true);
    expect(await ensureFolder(client, mailbox, wanted)).toEqual({ id: first.id, created: false });
  });

  test("names the mailbox whose import session takes an item", async () => {
    const { client, emulator, mailbox, expanded } = await anArchive();
    const hosts = [new URL(emulator.importUrl).host];
    const [item] = await all(eachItem(client, mailbox, expanded.id));
    const content = await contentOf(
      client,
      { ...mailbox, id: emulatedAuxiliary(await emulator.admin.users({})) },
      item?.id,
    );
    const imported = async (into: MailboxAddress): Promise<string> => {
      const { url } = await openImportSession(client, into, hosts);
      const imports = importer({ importHosts: hosts, userAgent: "test" })(url, { untilMs: Date.now() + 600_000 });
      const item = { folderId: expanded.id, rawBytes: content.length, content: () => inChunks(content) };
      return (await imports.send(item)).itemId;
    };

    const refusal = await imported(mailbox).catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(SessionElsewhereError);
    const { mailboxId } = refusal as SessionElsewhereError;
    const created = await imported({ id: mailboxId, kind: "archive" });
    expect((await all(eachItem(client, mailbox, expanded.id))).map(({ id }) => id)).toContain(created);
  });
});

const emulatedAuxiliary = (users: readonly HostedUser[]): string => users[0]?.auxiliaryMailboxId ?? "";

async function* inChunks(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

const contentOf = async (client: GraphClient, mailbox: MailboxAddress, id = ""): Promise<Buffer> => {
  for await (const { content } of exportItems(client, mailbox, [id])) if (content) return collect(content);
  throw new Error("The item has no content");
};
