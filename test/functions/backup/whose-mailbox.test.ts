import { describe, expect, test } from "vitest";
import { findMailbox, mailboxFinder } from "../../../shared/mailboxes.ts";
import { moveHead, readHead, readManifest } from "../../../shared/vault/snapshots.ts";
import { UPN } from "../../local/graph/kit.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxInGraph } from "../kit.ts";

const aMailbox = async () => {
  const kit = await aMailboxInGraph();
  const { admin, emulator, mailbox, openGraph, vault, work, state } = kit;
  const [{ displayName = "" } = {}] = await admin.users({});
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work, state };
  /** Backs up after one item has come. */
  const backUp = async () => {
    await admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 1 });
    return runBackup(place, mailbox);
  };
  const quietly = () => runBackup(place, mailbox);
  const named = async (snapshot: string) => (await readManifest(vault, mailbox.key, snapshot))?.manifest.user;
  const inHead = async () => (await readHead(vault, mailbox.key))?.user;
  /** With a wait that is longer than the commit's own. */
  const directory = (status: number, code: string) =>
    kit.fault({ kind: "status", endpoint: "user", status, code, retryAfter: 60 });
  const find = (name: string) => findMailbox(openGraph({ untilMs: Date.now() + 10_000 }), vault, name);
  return { ...kit, displayName, backUp, quietly, named, inHead, directory, find };
};

describe("whose mailbox it was", () => {
  test("is in the manifest, and in short in the head, and nowhere else", async () => {
    const { mailbox, displayName, backUp, named, inHead, work, state } = await aMailbox();
    const who = { id: mailbox.userId, displayName, userPrincipalName: UPN, primaryAddress: UPN };

    const run = await backUp();

    expect(await named(run.snapshotId)).toEqual({ ...who, userType: "Member", accountEnabled: true, licensed: true });
    expect(await inHead()).toEqual(who);
    expect(JSON.stringify(run)).not.toContain(displayName);
    const elsewhere = [...work.blobs, ...state.blobs].map(([name, { body }]) => `${name} ${body}`);
    expect(elsewhere.filter((text) => text.includes(displayName))).toEqual([]);
  });

  test.each([
    ["does not answer", 503, "ServiceUnavailable"],
    ["has forgotten them", 404, "Request_ResourceNotFound"],
    ["refuses to say", 403, "Authorization_RequestDenied"],
  ])(
    "is unknown, or as the snapshot before says, where the directory %s",
    async (_, status, code) => {
      const fresh = await aMailbox();
      await fresh.directory(status, code);
      const nameless = await fresh.backUp();
      expect(await fresh.named(nameless.snapshotId)).toEqual({ id: fresh.mailbox.userId });

      const { backUp, named, inHead, directory } = await aMailbox();
      const first = await backUp();
      const head = await inHead();
      await directory(status, code);
      const second = await backUp();
      expect(await named(second.snapshotId)).toEqual(await named(first.snapshotId));
      expect(await inHead()).toEqual(head);
    },
    60_000,
  );

  test("is told to a head without a name by a run that finds no change", async () => {
    const { mailbox, vault, displayName, backUp, quietly, inHead } = await aMailbox();
    await backUp();
    await moveHead(vault, mailbox.key, (head) => ({
      ...(head ?? expect.fail("no head")),
      user: { id: mailbox.userId },
    }));

    expect(await quietly()).toMatchObject({ quiet: true });
    expect(await inHead()).toMatchObject({ displayName, primaryAddress: UPN });
  });

  test("finds the mailbox by id and address, also when the directory has forgotten them", async () => {
    const { mailbox, backUp, directory, find } = await aMailbox();
    await backUp();
    expect(await find(UPN)).toEqual(mailbox);

    await directory(404, "Request_ResourceNotFound");
    for (const name of [UPN, UPN.toUpperCase(), mailbox.userId]) expect(await find(name)).toEqual(mailbox);
    expect(await find("somebody.else@contoso.example")).toBeUndefined();
  });

  test("is looked up for many names by one look at each head", async () => {
    const { mailbox, openGraph, vault, backUp, directory } = await aMailbox();
    await backUp();
    await directory(404, "Request_ResourceNotFound");
    const { readWhole } = vault;
    let heads = 0;
    vault.readWhole = (name) => {
      heads += 1;
      return readWhole(name);
    };

    const find = mailboxFinder(openGraph({ untilMs: Date.now() + 10_000 }), vault);
    const found = await Promise.all([UPN, mailbox.userId, "nobody@contoso.example"].map(find));
    expect([found, heads]).toEqual([[mailbox, mailbox, undefined], 1]);
  });
});
