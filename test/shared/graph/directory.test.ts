import { describe, expect, test } from "vitest";
import { findArchiveId, findMailboxId, findUser, groupUsersPage, usersPage } from "../../../shared/graph/directory.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { aGraph } from "./a-graph.ts";

const failing = (status: number, code: string) => ({ status, body: { error: { code } } });

describe("findUser", () => {
  test("asks for the user by an encoded name", async () => {
    const { client, asked } = await aGraph([{ body: { id: "1", userPrincipalName: "a#ext#@x.example" } }]);

    expect(await findUser(client, "a#ext#@x.example")).toMatchObject({ id: "1" });
    expect(asked[0]?.url).toMatch(/^\/v1\.0\/users\/a%23ext%23%40x\.example\?\$select=/);
  });

  test.each(["Request_ResourceNotFound", "ErrorInvalidUser"])("returns undefined after %s", async (code) => {
    const { client } = await aGraph([failing(404, code)]);
    expect(await findUser(client, "nobody")).toBeUndefined();
  });

  test.each([".", ".."])("asks nobody for %j, which would be another address", async (name) => {
    const { client, asked } = await aGraph([]);
    expect(await findUser(client, name)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test("throws any other error", async () => {
    const { client } = await aGraph([failing(403, "Authorization_RequestDenied")]);
    await expect(findUser(client, "ada")).rejects.toThrow(GraphError);
  });
});

describe("findMailboxId", () => {
  test.each([
    [{ primaryMailboxId: "MBX:1" }, "MBX:1"],
    [{ primaryMailboxId: null }, undefined],
    [{}, undefined],
  ])("of settings %j is %s", async (body, expected) => {
    const { client } = await aGraph([{ body }]);
    expect(await findMailboxId(client, "u")).toBe(expected);
  });

  test.each(["MailboxNotEnabledForRESTAPI", "ResourceNotFound", "ErrorNonExistentMailbox", "Request_ResourceNotFound"])(
    "is none after %s",
    async (code) => {
      const { client } = await aGraph([failing(404, code)]);
      expect(await findMailboxId(client, "u")).toBeUndefined();
    },
  );

  test("throws any other error", async () => {
    const { client } = await aGraph([failing(403, "ErrorAccessDenied")]);
    await expect(findMailboxId(client, "u")).rejects.toThrow(/403 ErrorAccessDenied/);
  });
});

describe("findArchiveId", () => {
  test("asks beta, the only version that returns it", async () => {
    const { client, asked } = await aGraph([{ body: { primaryMailboxId: "MBX:1", inPlaceArchiveMailboxId: "MBX:2" } }]);

    expect(await findArchiveId(client, "u")).toBe("MBX:2");
    expect(asked[0]?.url).toBe("/beta/users/u/settings/exchange");
  });

  test("is undefined for a user without one", async () => {
    const { client } = await aGraph([{ body: { primaryMailboxId: "MBX:1" } }, failing(404, "SomethingNew")]);

    expect(await findArchiveId(client, "u")).toBeUndefined();
    expect(await findArchiveId(client, "u")).toBeUndefined();
  });
});

describe("groupUsersPage", () => {
  test("asks for members at any depth in the way that a cast needs, also for the next page", async () => {
    const link = "{origin}/v1.0/groups/g/transitiveMembers/microsoft.graph.user?$skiptoken=2";
    const { client, asked } = await aGraph([
      { body: { value: [{ id: "1" }], "@odata.nextLink": link } },
      { body: { value: [{ id: "2" }] } },
    ]);

    const { nextLink } = await groupUsersPage(client, "g/1");
    expect(await groupUsersPage(client, "g/1", nextLink)).toMatchObject({ value: [{ id: "2" }] });

    expect(asked[0]?.url).toMatch(/^\/v1\.0\/groups\/g%2F1\/transitiveMembers\/microsoft\.graph\.user\?.*\$count=true/);
    expect(asked.map(({ headers }) => headers["consistencylevel"])).toEqual(["eventual", "eventual"]);
  });

  test("throws an error that names a group that does not exist", async () => {
    const { client } = await aGraph([failing(404, "Request_ResourceNotFound")]);
    await expect(groupUsersPage(client, "g")).rejects.toThrow("There is no group g: check the backup's scope");
  });
});

test("usersPage uses a nextLink unchanged", async () => {
  const { client, asked, origin } = await aGraph([
    { body: { value: [{ id: "1", assignedLicenses: [{}] }], "@odata.nextLink": "{origin}/v1.0/users?$skiptoken=2" } },
    { body: { value: [{ id: "2" }] } },
  ]);

  const first = await usersPage(client);
  expect(first.nextLink).toBe(`${origin}/v1.0/users?$skiptoken=2`);
  expect(await usersPage(client, first.nextLink)).toMatchObject({ value: [{ id: "2" }], nextLink: undefined });
  expect(asked[1]?.url).toBe("/v1.0/users?$skiptoken=2");
});
