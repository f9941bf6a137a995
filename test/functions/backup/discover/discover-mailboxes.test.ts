import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { discoverMailboxes } from "../../../../functions/backup/backup.contract.ts";
import { discoverMailboxesActivity } from "../../../../functions/backup/discover/discover-mailboxes.activity.ts";
import { takeMailbox } from "../../../../functions/backup/discover/mailbox-queue.ts";
import { noteMailboxOfUser } from "../../../../functions/backup/discover/mailboxes-of-user.ts";
import { readLeftOut, readScope } from "../../../../functions/backup/discover/scope-state.ts";
import { usersInScope } from "../../../../functions/backup/discover/users-in-scope.ts";
import { ALL_ROLES_APP } from "../../../../local/graph/auth.ts";
import { backupInstance } from "../../../../shared/contracts/job-ids.ts";
import { BrokenAnswerError } from "../../../../shared/graph/broken-answer.ts";
import { graph, type OpenGraph } from "../../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../../shared/graph/graph-error.ts";
import { dutyCredential } from "../../../../shared/security/credentials.ts";
import { mailboxKey } from "../../../../shared/vault/mailbox-key.ts";
import { anEmulator } from "../../../local/graph/kit.ts";
import { aGraph } from "../../../shared/graph/a-graph.ts";
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

/** What Graph answers instead, by the end of the path. */
type Instead = Readonly<Record<string, Error>>;

const aDiscovery = async (
  settings: Partial<Deps> = {},
  options: Parameters<typeof anEmulator>[0] = {},
  instead: Instead = {},
) => {
  const { emulator } = await anEmulator({
    ...aTenant,
    groups: [...aTenant.groups].map(({ id, members }) => ({ id, members: [...members] })),
    mailboxes: [...aTenant.mailboxes],
    users: [...aTenant.users],
    ...options,
  });
  const openReal = graph({
    endpoint: emulator.graphUrl,
    credential: dutyCredential({ kind: "local-token", token: "emulator-token" }),
    userAgent: "test",
  });
  const asked: string[] = [];
  const openGraph: OpenGraph = (budget) => {
    const client = openReal(budget);
    return {
      ...client,
      json: async (request, schema) => {
        asked.push(request.operation);
        const end = Object.keys(instead).find((each) => request.target.split("?")[0]?.endsWith(each));
        if (end !== undefined) throw instead[end];
        return client.json(request, schema);
      },
    };
  };
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
  return { emulator, discover, queued, state, asked };
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

describe("a user for whom Graph has no answer", () => {
  const SETTINGS = "/settings/exchange";
  const failure = (status: number, code = "") => new GraphError("GET settings/exchange", { status, code });
  const [ada, adasArchive] = [mailboxKey("ada's"), mailboxKey("ada's archive")];

  test.each([
    ["a fault that stays", failure(503, "ErrorMailboxStoreUnavailable")],
    ["no answer at all", failure(0, "timeout")],
    ["a refusal", failure(400, "BadRequest")],
    ["an answer of another form", new BrokenAnswerError("not of the expected shape")],
  ])("because of %s is counted and named, and costs nobody else's backup", async (_, error) => {
    const { discover, queued, state } = await aDiscovery({}, {}, { [`id-of-ada${SETTINGS}`]: error });

    const found = await discover();

    expect(found).toMatchObject({ mailboxes: 2, unanswered: 1, withoutMailbox: 1 });
    expect(found.leftOut[0]).toEqual({ reason: "unanswered", user: "id-of-ada" });
    expect(await queued()).toEqual(["ben", "leaver"]);
    expect(await readLeftOut(state)).toMatchObject({ unanswered: 1, withoutMailbox: 1, disabled: 1, unlicensed: 1 });
  });

  test("keeps the mailboxes in scope that the vault has of them", async () => {
    const { discover, state } = await aDiscovery({}, {}, { [`id-of-ada${SETTINGS}`]: failure(503) });
    for (const key of [ada, adasArchive]) await noteMailboxOfUser(state, "id-of-ada", key);

    await discover();

    const scope = await readScope(state);
    expect([scope?.get(ada), scope?.get(adasArchive)]).toEqual(["id-of-ada", "id-of-ada"]);
    expect(scope?.size).toBe(4);
  });

  test("about the archive has the primary mailbox backed up", async () => {
    const instead = { [`beta/users/id-of-ben${SETTINGS}`]: failure(500) };
    const { discover, queued } = await aDiscovery({ archives: true }, {}, instead);

    expect(await discover()).toMatchObject({ mailboxes: 3, unanswered: 1, withoutMailbox: 1 });
    expect(await queued()).toEqual(["ada", "ben", "leaver"]);
  });

  test("in a list is reported by the number of the entry", async () => {
    const scope = ["ada@contoso.example", "nobody@contoso.example", "id-of-ben", "id-of-leaver"];
    const instead = { "/users/id-of-ben": failure(504), "/users/id-of-leaver": failure(403, "ErrorAccessDenied") };
    const { discover, queued } = await aDiscovery({ scope }, {}, instead);

    expect((await discover()).leftOut).toEqual([
      { reason: "unknown", entry: 2 },
      { reason: "unanswered", entry: 3 },
      { reason: "notPermitted", entry: 4 },
    ]);
    expect(await queued()).toEqual(["ada"]);
  });

  test.each([[429], [401]])("with %i, which concerns all, has the page tried again", async (status) => {
    const { discover, state } = await aDiscovery({}, {}, { [`id-of-ada${SETTINGS}`]: failure(status) });

    await expect(discover()).rejects.toMatchObject({ status });
    expect(await readScope(state)).toBeUndefined();
  });

  test("as for no other of many has the page tried again: that is an outage", async () => {
    const users = Array.from({ length: 20 }, (_, n) => named(`member-${n}`));
    const { discover, state } = await aDiscovery({}, { mailboxes: [], users }, { [SETTINGS]: failure(503) });

    await expect(discover()).rejects.toThrow("Graph has no answer for any of 20 users");
    expect(await readScope(state)).toBeUndefined();
  });
});

describe("a mailbox that the app may not read", () => {
  const apps = [{ ...ALL_ROLES_APP, mailboxes: ["ben@contoso.example"] }];

  test("is counted and not queued, after one request; it stays in scope", async () => {
    const { discover, queued, state, asked } = await aDiscovery({}, { apps });

    const found = await discover();

    expect(found).toMatchObject({ mailboxes: 1, notPermitted: 2, withoutMailbox: 1, unanswered: 0 });
    expect(found.leftOut.slice(0, 2)).toEqual(
      ["ada", "leaver"].map((name) => ({ reason: "notPermitted", user: `id-of-${name}` })),
    );
    expect(await queued()).toEqual(["ben"]);
    expect(asked.filter((operation) => operation === "GET folders")).toHaveLength(3);
    expect((await readScope(state))?.size).toBe(3);
    expect(await readLeftOut(state)).toMatchObject({ notPermitted: 2 });
  });

  test("by the directory is not permitted too", async () => {
    const error = new GraphError("GET settings/exchange", { status: 403, code: "Authorization_RequestDenied" });
    const { discover } = await aDiscovery({}, {}, { "id-of-ada/settings/exchange": error });

    expect(await discover()).toMatchObject({ mailboxes: 2, notPermitted: 1, unanswered: 0 });
  });

  test.each([
    ["over its quota", 403, "ErrorQuotaExceeded"],
    ["busy", 503, "ErrorServerBusy"],
    ["throttled", 429, "ApplicationThrottled"],
  ])("is not one that is %s: its own run waits for that to end", async (_, status, code) => {
    const { discover, emulator } = await aDiscovery();
    await emulator.admin["add-fault"]({ kind: "status", endpoint: "folders", status, code });

    expect(await discover()).toMatchObject({ mailboxes: 3, notPermitted: 0 });
  });
});

test("all users with a mailbox are those of the scope 'all', licensed or not, enabled or not", async () => {
  const { discover, queued } = await aDiscovery({ scope: "all" });

  expect(await discover()).toMatchObject({ mailboxes: 4, withoutMailbox: 2, disabled: 0, unlicensed: 0 });
  expect(await queued()).toEqual(["ada", "ben", "leaver", "shared"]);
});

test("someone whose licences are unknown is not taken for unlicensed, and one without an id is counted", async () => {
  const value = [
    { id: "a", assignedLicenses: "many" },
    { id: "b" },
    { id: "c", assignedLicenses: [], accountEnabled: true },
    { displayName: "no id" },
  ];
  const { client } = await aGraph([{ body: { value } }]);

  const { users, leftOut } = await usersInScope(client, "licensed", [], undefined);

  expect(users.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(leftOut).toEqual([{ reason: "unanswered" }, { reason: "unlicensed", user: "c" }]);
});
