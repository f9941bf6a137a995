import { describe, expect, test } from "vitest";
import { anEmulator, idsOf, UPN } from "./kit.ts";

const appWith = (...roles: string[]) => ({ appId: `app-${roles.join()}`, token: `token-${roles.join()}`, roles });

const ENDPOINTS = {
  users: ["GET", "/v1.0/users"],
  settings: ["GET", `/v1.0/users/${UPN}/settings/exchange`],
  purpose: ["GET", `/v1.0/users/${UPN}/mailboxSettings/userPurpose`],
  folders: ["GET", "{mbx}/folders"],
  foldersDelta: ["GET", "{mbx}/folders/delta"],
  createFolder: ["POST", "{mbx}/folders"],
  items: ["GET", "{mbx}/folders/inbox/items"],
  itemsDelta: ["GET", "{mbx}/folders/inbox/items/delta"],
  deleteItem: ["DELETE", "{mbx}/folders/inbox/items/x?disposalType=softDelete"],
  export: ["POST", "{mbx}/exportItems"],
  session: ["POST", "{mbx}/createImportSession"],
} as const;
type Endpoint = keyof typeof ENDPOINTS;

const OPENS: Readonly<Record<string, readonly Endpoint[]>> = {
  "User.Read.All": ["users", "settings"],
  "User.ReadBasic.All": [],
  "MailboxSettings.Read": ["purpose"],
  "MailboxFolder.Read.All": ["folders", "foldersDelta"],
  "MailboxFolder.ReadWrite.All": ["folders", "foldersDelta", "createFolder"],
  "MailboxItem.Read.All": ["items", "itemsDelta"],
  "MailboxItem.ReadWrite.All": ["items", "itemsDelta", "deleteItem"],
  "MailboxItem.Export.All": ["export"],
  "MailboxItem.ImportExport.All": ["export", "session"],
};

describe("access", () => {
  test.each(Object.entries(OPENS))("%s opens exactly its own endpoints", async (role, opened) => {
    const app = appWith(role);
    const { base, ask } = await anEmulator({ apps: [app] });

    const reached: string[] = [];
    for (const [name, [method, path]] of Object.entries(ENDPOINTS)) {
      const { status } = await ask(path.replace("{mbx}", base), { method, token: app.token });
      if (status !== 403) reached.push(name);
    }

    expect(reached).toEqual(opened);
  });

  test("names the missing permission differently for mailboxes and the directory", async () => {
    const { base, ask } = await anEmulator({ apps: [appWith()] });

    const mailbox = await ask(`${base}/folders`, { token: "token-" });
    const directory = await ask("/v1.0/users", { token: "token-" });

    expect(mailbox.body.error?.code).toBe("ErrorAccessDenied");
    expect(directory.body.error?.code).toBe("Authorization_RequestDenied");
  });

  test.each(["", "wrong"])("refuses the token '%s' with a challenge", async (token) => {
    const { ask } = await anEmulator();

    const { status, headers, body } = await ask("/v1.0/users", { token });

    expect([status, body.error?.code]).toEqual([401, "InvalidAuthenticationToken"]);
    expect(headers.get("www-authenticate")).toContain("Bearer");
  });

  test("keeps a scoped app to its mailboxes", async () => {
    const scoped = { ...appWith("MailboxFolder.Read.All"), mailboxes: ["other@contoso.example"] };
    const { base, ask } = await anEmulator({ apps: [scoped] });

    expect((await ask(`${base}/folders`, { token: scoped.token })).status).toBe(403);
  });

  test("answers every request with its ids, errors in Graph's shape", async () => {
    const { ask } = await anEmulator();

    const { headers, body } = await ask("/v1.0/users/nobody", { headers: { "client-request-id": "abc" } });

    expect(headers.get("client-request-id")).toBe("abc");
    expect(headers.get("request-id")).not.toBe("abc");
    expect(headers.get("x-ms-ags-diagnostic")).toContain("ServerInfo");
    expect(body.error).toEqual({
      code: "Request_ResourceNotFound",
      message: expect.any(String),
      innerError: {
        date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
        "request-id": headers.get("request-id"),
        "client-request-id": "abc",
      },
    });
  });
});

describe("directory", () => {
  test("pages users by nextLink", async () => {
    const mailboxes = Array.from({ length: 5 }, (_, i) => ({
      kind: "generated" as const,
      userPrincipalName: `user${i}@contoso.example`,
      items: 1,
    }));
    const { readAll } = await anEmulator({ mailboxes });

    const { values, pages } = await readAll("/v1.0/users?$top=2&$select=id,userPrincipalName");

    expect(pages).toBe(3);
    expect(values.map((user) => user["userPrincipalName"])).toEqual(mailboxes.map((m) => m.userPrincipalName));
    expect(Object.keys(values[0] ?? {})).toEqual(["id", "userPrincipalName"]);
  });

  test("finds a user by id and by name, and says when there is no mailbox", async () => {
    const { ask } = await anEmulator({ users: [{ userPrincipalName: "bare@contoso.example" }] });

    const byName = await ask(`/v1.0/users/${UPN.toUpperCase()}`);
    const byId = await ask(`/v1.0/users/${String(byName.body["id"])}`);
    const bare = await ask("/v1.0/users/bare@contoso.example/settings/exchange");

    expect(byId.body["userPrincipalName"]).toBe(UPN);
    expect(bare.status).toBe(404);
  });

  test("tells an archive on beta only", async () => {
    const archive = { items: 5 };
    const { ask } = await anEmulator({ mailboxes: [{ kind: "generated", userPrincipalName: UPN, archive }] });

    const v1 = await ask(`/v1.0/users/${UPN}/settings/exchange`);
    const beta = await ask(`/beta/users/${UPN}/settings/exchange`);

    expect(v1.body).not.toHaveProperty("inPlaceArchiveMailboxId");
    expect(beta.body["inPlaceArchiveMailboxId"]).toMatch(/^MBX:/);
  });

  test("lists the members of groups within a group, each once", async () => {
    const groups = [
      { id: "outer", members: ["inner", UPN] },
      { id: "inner", members: ["bare@contoso.example", UPN, "outer"] },
    ];
    const { ask } = await anEmulator({ groups, users: [{ userPrincipalName: "bare@contoso.example" }] });

    const { body } = await ask("/v1.0/groups/outer/transitiveMembers/microsoft.graph.user");

    expect(body.value?.map((user) => user["userPrincipalName"])).toEqual(["bare@contoso.example", UPN]);
  });

  test("lists the members of a group", async () => {
    const { ask } = await anEmulator({ groups: [{ id: "g1", members: [UPN] }] });

    const { body } = await ask("/v1.0/groups/g1/transitiveMembers/microsoft.graph.user");

    expect(idsOf(body.value ?? [])).toHaveLength(1);
  });
});
