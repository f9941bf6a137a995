import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { discoverMailboxes } from "../../../../functions/backup/backup.contract.ts";
import { discoverMailboxesActivity } from "../../../../functions/backup/discover/discover-mailboxes.activity.ts";
import { takeMailbox } from "../../../../functions/backup/discover/mailbox-queue.ts";
import { readScope } from "../../../../functions/backup/discover/scope-state.ts";
import { backupInstance } from "../../../../shared/contracts/job-ids.ts";
import { graph } from "../../../../shared/graph/graph-client.ts";
import { dutyCredential } from "../../../../shared/security/credentials.ts";
import { mailboxKey } from "../../../../shared/vault/mailbox-key.ts";
import { anEmulator } from "../../../local/graph/kit.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aFakeHub } from "../../fake-hub.ts";
import { aRun, deliver } from "../../kit.ts";

const named = (name: string) => ({ userPrincipalName: `${name}@contoso.example`, userId: `id-of-${name}` });
const aMailbox = (name: string) => ({ kind: "generated", items: 1, ...named(name) }) as const;

const TEAM = "0b5c2d3e-7f8a-4b6c-9d0e-1f2a3b4c5d6e";

/** All kinds of users that a scope may have: two at work, a leaver, a shared mailbox, and two without a mailbox. */
const aTenant = {
  mailboxes: [
    aMailbox("ada"),
    { ...aMailbox("ben"), archive: { items: 1 } },
    { ...aMailbox("leaver"), accountEnabled: false },
    { ...aMailbox("shared"), accountEnabled: false, licensed: false, purpose: "shared" },
  ],
  users: [named("bare"), { ...named("guest"), licensed: false }],
  groups: [
    { id: TEAM, members: ["inner", "id-of-ada"] },
    { id: "inner", members: ["id-of-shared", "id-of-guest"] },
  ],
} as const;

type Deps = Parameters<typeof discoverMailboxesActivity>[0];
type Input = z.input<typeof discoverMailboxes.input>;

const aDiscovery = async (settings: Partial<Deps> = {}, options: Parameters<typeof anEmulator>[0] = {}) => {
  const { emulator } = await anEmulator({
    ...aTenant,
    groups: [...aTenant.groups].map(({ id, members }) => ({ id, members: [...members] })),
    mailboxes: [...aTenant.mailboxes],
    users: [...aTenant.users],
    ...options,
  });
  const openGraph = graph({
    endpoint: emulator.graphUrl,
    credential: dutyCredential({ kind: "local-token", token: "emulator-token" }),
    userAgent: "test",
  });
  const work = memoryBlobs();
  const state = memoryBlobs();
  const deps = {
    openGraph,
    scope: "licensed",
    exclude: [],
    archives: false,
    work,
    state,
    ...aFakeHub(),
    ...settings,
  } as const;
  const handler = discoverMailboxesActivity(deps);
  const discover = (input: Partial<Input> = {}) =>
    deliver(handler, discoverMailboxes, { tenantRun: aRun, page: 0, start: 0, ...input });
  /** The users whose mailboxes are in the queue, in its order. */
  const queued = async (): Promise<string[]> => {
    const taken: string[] = [];
    for (let turn = 0; ; turn += 1) {
      const mailbox = await takeMailbox(work, aRun, 0, turn);
      if (mailbox === undefined) return taken;
      taken.push(`${mailbox.userId.replace("id-of-", "")}${mailbox.kind === "archive" ? "'s archive" : ""}`);
    }
  };
  return { emulator, discover, queued, state };
};

describe("discover-mailboxes", () => {
  test("stores who is in scope when it discovers all of it, and not when it is asked for some users", async () => {
    const { discover, state } = await aDiscovery();
    await discover({ only: ["id-of-ada"] });
    expect(await readScope(state)).toBeUndefined();

    await discover();

    expect([...((await readScope(state)) ?? new Map()).values()].toSorted()).toEqual(
      ["ada", "ben", "leaver"].map((name) => `id-of-${name}`),
    );
  });

  test("queues the mailboxes of all licensed users, also of those who may not sign in any more", async () => {
    const { discover, queued } = await aDiscovery();

    expect(await discover()).toMatchObject({ mailboxes: 3, busy: 0 });
    expect(await queued()).toEqual(["ada", "ben", "leaver"]);
  });

  test("counts who is left out, by reason, and names them by their ids", async () => {
    const { discover } = await aDiscovery({ exclude: ["id-of-ada"] });

    const found = await discover();

    expect(found).toMatchObject({
      mailboxes: 2,
      excluded: 1,
      withoutMailbox: 1,
      disabled: 1,
      unlicensed: 1,
      unknown: 0,
    });
    expect(found.leftOut).toEqual([
      { reason: "withoutMailbox", user: "id-of-bare" },
      { reason: "excluded", user: "id-of-ada" },
      { reason: "disabled", user: "id-of-shared" },
      { reason: "unlicensed", user: "id-of-guest" },
    ]);
    expect(JSON.stringify(found)).not.toContain("contoso");
  });

  test("queues the members of a group at any depth, shared mailboxes too", async () => {
    const { discover, queued } = await aDiscovery({ scope: { group: TEAM } });

    expect(await discover()).toMatchObject({
      mailboxes: 2,
      unlicensed: 0,
      leftOut: [{ reason: "withoutMailbox", user: "id-of-guest" }],
    });
    expect((await queued()).toSorted()).toEqual(["ada", "shared"]);
  });

  test("fails with the group that does not exist", async () => {
    const { discover } = await aDiscovery({ scope: { group: "gone" } });

    await expect(discover()).rejects.toThrow("There is no group gone: check the backup's scope");
  });

  test("queues the users of a list, each once, and reports entries that name no user by their number", async () => {
    const scope = ["ada@contoso.example", "nobody@contoso.example", "id-of-shared", "id-of-ada"];
    const { discover, queued } = await aDiscovery({ scope });

    const found = await discover();

    expect(found).toMatchObject({ mailboxes: 2, unknown: 1, leftOut: [{ reason: "unknown", entry: 2 }] });
    expect(found.next).toBeUndefined();
    expect(await queued()).toEqual(["ada", "shared"]);
  });

  test("queues the users of a request instead of those in scope, without excluded ones", async () => {
    const { discover, queued } = await aDiscovery({ exclude: ["BEN@contoso.example"] });

    expect(await discover({ only: ["id-of-ben", "id-of-shared"] })).toMatchObject({ mailboxes: 1, excluded: 1 });
    expect(await queued()).toEqual(["shared"]);
  });

  test("queues an archive beside its primary mailbox when archives are wanted", async () => {
    const { discover, queued } = await aDiscovery({ archives: true });

    expect(await discover()).toMatchObject({ mailboxes: 4, withoutMailbox: 1 });
    expect(await queued()).toEqual(["ada", "ben", "ben's archive", "leaver"]);
  });

  test("names no more than twenty, and counts all", async () => {
    const users = Array.from({ length: 30 }, (_, n) => ({ ...named(`guest-${n}`), licensed: false }));
    const { discover } = await aDiscovery({}, { users });

    const found = await discover();

    expect(found).toMatchObject({ unlicensed: 30, disabled: 1 });
    expect(found.leftOut).toHaveLength(20);
    expect(found.leftOut[0]).toEqual({ reason: "disabled", user: "id-of-shared" });
  });

  test.each([
    ["licensed users", "licensed" as const],
    ["a group", { group: TEAM }],
  ])("goes through %s page by page, and queues each behind the last", async (_, scope) => {
    const names = Array.from({ length: 120 }, (_, n) => `member-${n}`);
    const { discover, queued } = await aDiscovery(
      { scope },
      {
        mailboxes: [aMailbox("last")],
        users: names.map((name) => named(name)),
        groups: [{ id: TEAM, members: [...names.map((name) => `id-of-${name}`), "id-of-last"] }],
      },
    );

    const first = await discover();
    const second = await discover({ page: 1, start: first.mailboxes, ...(first.next ? { next: first.next } : {}) });

    expect(first.next).toMatch(/skiptoken/);
    expect(second.next).toBeUndefined();
    expect(first.withoutMailbox + second.withoutMailbox).toBe(120);
    expect(await queued()).toEqual(["last"]);
  });

  test("leaves out a mailbox whose backup is running, and counts it", async () => {
    const users = await (await anEmulator({ mailboxes: [aMailbox("ada")] })).emulator.admin.users({});
    const alive = backupInstance(mailboxKey(users[0]?.mailboxId ?? ""));
    const { discover, queued } = await aDiscovery(aFakeHub({ [alive]: { runtimeStatus: "Running" } }));

    expect(await discover()).toMatchObject({ mailboxes: 2, busy: 1 });
    expect(await queued()).toEqual(["ben", "leaver"]);
  });

  test("run twice, leaves the queue as it was", async () => {
    const { emulator, discover, queued } = await aDiscovery();
    await discover();
    await emulator.admin["add-mailbox"](aMailbox("newcomer"));

    expect(await discover()).toMatchObject({ mailboxes: 3 });
    expect(await queued()).toEqual(["ada", "ben", "leaver"]);
  });
});
