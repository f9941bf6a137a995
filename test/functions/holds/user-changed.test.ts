import { describe, expect, test } from "vitest";
import { noteMailboxOfUser } from "../../../functions/backup/discover/mailboxes-of-user.ts";
import { ProtectLeaverInput } from "../../../functions/holds/leaver.contract.ts";
import { userChanged } from "../../../functions/holds/user-changed.event.ts";
import { leaverInstance } from "../../../shared/contracts/job-ids.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { hashName, mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { changeHead, writeHistory } from "../browse/a-vault.ts";
import { aFakeHub, aQuietContext } from "../fake-hub.ts";
import { aMailboxInGraph } from "../kit.ts";

const LEAVER = "11111111-aaaa-4bbb-8ccc-000000000001";
const STAYER = "11111111-aaaa-4bbb-8ccc-000000000002";
const GONE = "11111111-aaaa-4bbb-8ccc-000000000003";

const anEvent = (userId: string, overrides: Record<string, unknown> = {}) => ({
  specversion: "1.0",
  id: "e1",
  type: "Microsoft.Graph.UserUpdated",
  source: `/tenants/${STAYER}/applications/${GONE}`,
  subject: `Users/${userId}`,
  time: "2026-11-22T01:00:00Z",
  data: { resourceData: { accountEnabled: true } },
  ...overrides,
});

/** A directory with a user who may not sign in and one who may, and a vault to which mailboxes of users are added. */
const aTenant = async (exclude: readonly string[] = []) => {
  const { admin, openGraph, vault, state } = await aMailboxInGraph({ items: 0 });
  const user = (name: string, userId: string, accountEnabled: boolean) =>
    admin["add-user"]({ userPrincipalName: `${name}@contoso.example`, userId, accountEnabled });
  await user("leaver", LEAVER, false);
  await user("stayer", STAYER, true);
  const backedUp = async (userId: string, name = userId) => {
    const key = mailboxKey(name);
    await writeHistory(vault, [[[]]], { mailboxKey: key });
    await changeHead(vault, key, { user: { id: userId } });
    await noteMailboxOfUser(state, userId, key);
    return key;
  };
  const hub = aFakeHub();
  const handler = userChanged({ ...hub, openGraph, vault, state, exclude });
  const raise = (event: unknown) => handler(event, aQuietContext());
  return { ...hub, vault, backedUp, raise };
};

describe("user-changed", () => {
  test.each([
    ["may not sign in any more", LEAVER],
    ["is not in the directory any more", GONE],
  ])("protects the mailboxes in the vault of one who %s", async (_, userId) => {
    const { raise, backedUp, started } = await aTenant();
    const keys = [await backedUp(userId), await backedUp(userId, "their archive")];

    await raise(anEvent(userId, { type: "Microsoft.Graph.UserDeleted" }));

    expect(started).toMatchObject([{ name: "protect-leaver", instanceId: leaverInstance(hashName(userId)) }]);
    const { mailboxes } = ProtectLeaverInput.parse(started[0]?.input);
    expect(mailboxes.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
    expect(mailboxes.every((mailbox) => mailbox.userId === userId)).toBe(true);
  });

  test("believes the directory, not the event", async () => {
    const { raise, backedUp, started } = await aTenant();
    await backedUp(STAYER);

    await raise(anEvent(STAYER, { data: { resourceData: { accountEnabled: false } } }));

    expect(started).toEqual([]);
  });

  test("leaves alone a mailbox that is held for a leaver, and protects one whose hold has ended", async () => {
    const { raise, backedUp, started, vault } = await aTenant();
    const key = await backedUp(LEAVER);
    const hold = (until: string) =>
      changeHead(vault, key, { hold: { since: "2026-01-01T00:00:00Z", reason: "leaver", until } });

    await hold("9999-01-01T00:00:00Z");
    await raise(anEvent(LEAVER));
    expect(started).toEqual([]);

    await hold("2026-01-02T00:00:00Z");
    await raise(anEvent(LEAVER));
    expect(started).toHaveLength(1);
  });

  test.each([
    ["whose mailbox was never backed up", LEAVER, []],
    ["who is never backed up", LEAVER, ["LEAVER@contoso.example"]],
  ])("leaves alone a leaver %s", async (_, userId, exclude) => {
    const { raise, backedUp, started } = await aTenant(exclude);
    if (exclude.length > 0) await backedUp(userId);

    await raise(anEvent(userId));

    expect(started).toEqual([]);
  });

  test("leaves alone a mailbox that has passed to somebody else", async () => {
    const { raise, backedUp, started, vault } = await aTenant();
    const key = await backedUp(LEAVER);
    await changeHead(vault, key, { user: { id: STAYER } });

    await raise(anEvent(LEAVER));

    expect(started).toEqual([]);
  });

  test.each([
    ["of no schema", { hello: "world" }],
    ["of another type", anEvent(LEAVER, { type: "Microsoft.Graph.GroupUpdated" })],
    ["of another source", anEvent(LEAVER, { source: "/subscriptions/s" })],
    ["without a user's id", anEvent("ada@contoso.example")],
  ])("acknowledges an event %s, and starts nothing", async (_, event) => {
    const { raise, backedUp, started } = await aTenant();
    await backedUp(LEAVER);

    await raise(event);

    expect(started).toEqual([]);
  });

  test("throws when the directory does not answer, so that the event comes again", async () => {
    const { started, ...hub } = aFakeHub();
    const { vault, state } = await aMailboxInGraph({ items: 0 });
    const json = () => Promise.reject(new Error("Graph answered 503"));
    const openGraph: OpenGraph = () => ({
      endpoint: "http://127.0.0.1",
      endingAt: () => openGraph({ untilMs: 0 }),
      json,
      answer: json,
      stream: json,
    });
    const handler = userChanged({ ...hub, openGraph, vault, state, exclude: [] });

    await expect(handler(anEvent(LEAVER), aQuietContext())).rejects.toThrow("503");
    expect(started).toEqual([]);
  });
});
