import { describe, expect, test } from "vitest";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Head } from "../../shared/vault/head.ts";
import { mailboxKey } from "../../shared/vault/mailbox-key.ts";
import { moveHead } from "../../shared/vault/snapshots.ts";
import { aGraph } from "./graph/a-graph.ts";
import { memoryBlobs } from "./storage/memory-blobs.ts";

const aUser = { body: { id: "user-1", userPrincipalName: "ada@contoso.example" } };
const KEY = mailboxKey("MBX:1");

const aHead: Head = {
  v: 1,
  mailboxKey: KEY,
  mailboxId: "MBX:1",
  kind: "primary",
  user: { id: "user-1", displayName: "Ada Berg" },
  newest: null,
  checkedAt: "2026-11-22T01:00:00Z",
};

describe("findMailbox", () => {
  test("finds the live mailbox of a user by name", async () => {
    const { client } = await aGraph([aUser, { body: { primaryMailboxId: "MBX:1" } }]);

    expect(await findMailbox(client, memoryBlobs(), "ada@contoso.example")).toEqual({
      key: KEY,
      id: "MBX:1",
      kind: "primary",
      userId: "user-1",
    });
  });

  test("finds none for a user without a mailbox, or for an unknown user", async () => {
    const { client } = await aGraph([aUser, { body: {} }]);
    expect(await findMailbox(client, memoryBlobs(), "ada@contoso.example")).toBeUndefined();

    const nobody = await aGraph([{ status: 404, body: { error: { code: "Request_ResourceNotFound" } } }]);
    expect(await findMailbox(nobody.client, memoryBlobs(), "nobody@contoso.example")).toBeUndefined();
  });

  test("finds a mailbox in the vault by its key, without asking Graph", async () => {
    const { client, asked } = await aGraph([aUser]);
    const vault = memoryBlobs();
    await moveHead(vault, KEY, () => aHead);

    expect(await findMailbox(client, vault, KEY)).toMatchObject({ key: KEY, id: "MBX:1", userId: "user-1" });
    expect(await findMailbox(client, vault, mailboxKey("MBX:2"))).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
