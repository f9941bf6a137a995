import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GraphEmulator, startGraphEmulator } from "../../../local/graph/emulator.ts";
import { type Oddity, PageOddity } from "../../../local/graph/oddities.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { readFolders } from "../../../shared/vault/folders.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { runBackup } from "../../support/backup-run.ts";
import { type Death, DiedError, mortalBlobs } from "../../support/mortal-blobs.ts";

/**
 * What the backup bears. A choice that is off makes the property fail today: it waits for what stands beside it, and is
 * to be turned on with that.
 */
const BEARS = {
  sparseItems: true,
  sparseFolders: true,
  foldersWithoutChildCount: true,
  foldersWithoutWellKnownName: true,
  hiddenFoldersOnRequest: true,
  flicker: true,
  oddItems: true,
  oddFolders: true,
  removedNull: true,
  removedWithoutReason: true,
  refusedForATime: true,
  repeats: true,
  "no-link": true,
  endless: true,
  doubled: true,
} as const;

/** How many histories are tried. */
const RUNS = Number(process.env["RUNS"] ?? 6);

/** One thing that happens to a mailbox between two backups, or to Graph during one. Numbers pick by position. */
type Act =
  | { readonly act: "create-items"; readonly folder: number; readonly count: number }
  | { readonly act: "change-item"; readonly item: number }
  | { readonly act: "remove-item"; readonly item: number }
  | { readonly act: "move-item"; readonly item: number; readonly folder: number }
  | { readonly act: "create-folder"; readonly parent: number }
  | { readonly act: "rename-folder" | "remove-folder" | "expire-one"; readonly folder: number }
  | { readonly act: "move-folder"; readonly folder: number; readonly parent: number }
  | { readonly act: "odd-page"; readonly endpoint: string; readonly oddity: PageOddity }
  | { readonly act: "refuse-items"; readonly code: string }
  | ({
      readonly act: "item-removed-meanwhile";
      readonly item: number;
      readonly with: "nothing" | "a lost round" | "no deltas";
    } & Omit<Meanwhile, "folder" | "parent">)
  | ({ readonly act: "folders-meanwhile"; readonly what: "create" | "rename" | "move" | "remove" } & Meanwhile)
  | { readonly act: "expire-amid"; readonly endpoint: string; readonly after: number; readonly code: string }
  | { readonly act: "expire-all" | "fault-export" | "fault-delta" | "drop-items" | "quota" };

/**
 * Acts through which a run is complete at once: nothing is refused or broken, and nothing goes while it is under way,
 * which only a delta can tell apart from a loss.
 */
const CALM: readonly Act["act"][] = [
  "create-items",
  "change-item",
  "remove-item",
  "move-item",
  "create-folder",
  "rename-folder",
  "remove-folder",
  "move-folder",
  "expire-one",
  "expire-all",
  "expire-amid",
  "fault-delta",
  "quota",
];

/** A change just after an answer, in a run that lists anew or goes on from a delta. */
interface Meanwhile {
  readonly endpoint: string;
  readonly after: number;
  readonly expires: boolean;
  readonly folder: number;
  readonly parent: number;
}

const n = fc.nat(1_000);
const pageOddities = PageOddity.options.filter((oddity) => BEARS[oddity]);
const anAct: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("create-items" as const),
      folder: n,
      count: fc.integer({ min: 1, max: 25 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constantFrom("change-item" as const, "remove-item" as const), item: n }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("move-item" as const), item: n, folder: n }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("create-folder" as const), parent: n }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constantFrom("rename-folder" as const, "remove-folder" as const, "expire-one" as const),
      folder: n,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("move-folder" as const), folder: n, parent: n }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constantFrom(
        "expire-all" as const,
        "fault-export" as const,
        "fault-delta" as const,
        "drop-items" as const,
        "quota" as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("expire-amid" as const),
      endpoint: fc.constantFrom("items-delta", "folders-delta"),
      after: fc.nat(6),
      code: fc.constantFrom("SyncStateNotFound", "ResyncRequired"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant("item-removed-meanwhile" as const),
      endpoint: fc.constantFrom("items", "items-delta", "export-items"),
      after: fc.nat(20),
      expires: fc.boolean(),
      with: fc.constantFrom("nothing" as const, "a lost round" as const, "no deltas" as const),
      item: n,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant("folders-meanwhile" as const),
      what: fc.constantFrom("create" as const, "rename" as const, "move" as const, "remove" as const),
      endpoint: fc.constantFrom("folders", "child-folders", "folders-delta", "folder"),
      after: fc.nat(3),
      expires: fc.boolean(),
      folder: n,
      parent: n,
    }),
  },
  ...pageOddities.map((oddity) => ({
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant("odd-page" as const),
      endpoint: fc.constantFrom("items", "items-delta", "folders", "folders-delta"),
      oddity: fc.constant(oddity),
    }),
  })),
  {
    weight: BEARS.refusedForATime ? 1 : 0,
    arbitrary: fc.record({
      act: fc.constant("refuse-items" as const),
      code: fc.constantFrom("ErrorItemNotFound", "ErrorItemCorrupt"),
    }),
  },
);

interface Behaviours {
  readonly deltaEmptyPages: boolean;
  readonly deltaDuplicates: boolean;
  readonly deltaReplays: boolean;
  readonly rootListsDescendants: boolean;
  readonly deltaExpiry: "sync-state-not-found" | "location" | "resync-required";
  readonly deltaFlickers: boolean;
  readonly deltaItemsShow: "all" | "id" | "version" | "changed" | "drawn";
  readonly deltaFoldersShow: "all" | "changed";
  readonly wellKnownNames: boolean;
  readonly childFolderCounts: boolean;
  readonly hiddenFoldersListed: boolean;
  readonly deltaForgetsAdded: number;
  readonly deltaForgetsRemoved: number;
  readonly uncountedItems: number;
  readonly maxPageSize: number;
  readonly hiddenFoldersRefused: boolean;
  readonly wellKnownPaths: boolean;
}

/** What is drawn where the backup bears it, and what holds otherwise. */
const drawn = <T>(isBorne: boolean, otherwise: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  isBorne ? arbitrary : fc.constant(otherwise);

/** Where rounds forget as many items that came as items that went, no number would tell. */
const FORGETTING = [
  { deltaForgetsAdded: 0, deltaForgetsRemoved: 0 },
  { deltaForgetsAdded: 0.5, deltaForgetsRemoved: 0 },
  { deltaForgetsAdded: 0, deltaForgetsRemoved: 0.5 },
];

const legalBehaviours = fc.record({
  deltaEmptyPages: fc.boolean(),
  deltaDuplicates: fc.boolean(),
  deltaReplays: fc.boolean(),
  rootListsDescendants: fc.boolean(),
  deltaExpiry: fc.constantFrom("sync-state-not-found" as const, "location" as const, "resync-required" as const),
  deltaFlickers: drawn(BEARS.flicker, false, fc.boolean()),
  deltaItemsShow: drawn<Behaviours["deltaItemsShow"]>(
    BEARS.sparseItems,
    "all",
    fc.constantFrom("all", "id", "version", "changed", "drawn"),
  ),
  deltaFoldersShow: drawn<Behaviours["deltaFoldersShow"]>(
    BEARS.sparseFolders,
    "all",
    fc.constantFrom("all", "changed"),
  ),
  wellKnownNames: drawn(BEARS.foldersWithoutWellKnownName, true, fc.boolean()),
  childFolderCounts: drawn(BEARS.foldersWithoutChildCount, true, fc.boolean()),
  hiddenFoldersListed: drawn(BEARS.hiddenFoldersOnRequest, true, fc.boolean()),
  hiddenFoldersRefused: fc.boolean(),
  uncountedItems: fc.constantFrom(0, 0, 3),
  maxPageSize: fc.constantFrom(3, 1_000),
  wellKnownPaths: fc.boolean(),
});

const someBehaviours: fc.Arbitrary<Behaviours> = fc
  .tuple(legalBehaviours, fc.constantFrom(...FORGETTING))
  .map(([legal, forgetting]) => ({ ...legal, ...forgetting }));

/** Elements that are odd in every answer while a history lasts: which ones is decided by a seed. */
interface Odd {
  readonly seed: string;
  readonly rate: number;
  readonly oddities: readonly Oddity[];
}

const ODDITIES: readonly Oddity[] = [
  ...(BEARS.oddItems ? (["negative-size", "null-category", "time-without-zone", "empty-time"] as const) : []),
  ...(BEARS.oddFolders ? (["null-name", "own-parent"] as const) : []),
  ...(BEARS.removedNull ? (["removed-null"] as const) : []),
  ...(BEARS.removedWithoutReason ? (["removed-without-reason"] as const) : []),
];

const someOdd: fc.Arbitrary<Odd | undefined> =
  ODDITIES.length === 0
    ? fc.constant(undefined)
    : fc.option(
        fc.record({
          seed: fc.string({ maxLength: 4 }),
          rate: fc.constantFrom(0.05, 0.3, 1),
          oddities: fc.subarray([...ODDITIES], { minLength: 1 }),
        }),
        { nil: undefined },
      );

let emulator: GraphEmulator;
let mailboxes = 0;

beforeAll(async () => {
  emulator = await startGraphEmulator();
});
afterAll(() => emulator.stop());

const admin = () => emulator.admin;

const foldersOf = async (mailbox: string) => admin().folders({ mailbox });
const pick = <T>(values: readonly T[], position: number): T | undefined =>
  values[position % Math.max(1, values.length)];

const itemsOf = async (mailbox: string) => {
  const items = [];
  for await (const item of await admin().items({ mailbox })) items.push(item);
  return items;
};

/** Applies one act; an act that does not fit the mailbox does nothing. */
const apply = async (mailbox: string, act: Act, serial: number): Promise<void> => {
  const folders = await foldersOf(mailbox);
  const own = folders.filter(({ wellKnownName }) => wellKnownName === undefined);
  const folderAt = (position: number) => pick(folders, position)?.id ?? "";
  switch (act.act) {
    case "create-items":
      await admin()["create-items"]({ mailbox, folder: folderAt(act.folder), count: act.count, bytes: 400 });
      return;
    case "change-item":
    case "remove-item":
    case "move-item": {
      const item = pick(await itemsOf(mailbox), act.item);
      if (item === undefined) return;
      if (act.act === "remove-item") await admin()["remove-item"]({ mailbox, item: item.id });
      else if (act.act === "change-item")
        await admin()["change-item"]({ mailbox, item: item.id, subject: `Changed ${serial}`, bytes: 500 });
      else if (act.act === "move-item" && item.folderId !== folderAt(act.folder))
        await admin()["move-item"]({ mailbox, item: item.id, folder: folderAt(act.folder) });
      return;
    }
    case "create-folder":
      await admin()["create-folder"]({
        mailbox,
        parent: folderAt(act.parent),
        displayName: `New ${serial}`,
        type: "IPF.Note",
      });
      return;
    case "rename-folder":
    case "remove-folder": {
      const folder = pick(own, act.folder)?.id;
      if (folder === undefined) return;
      if (act.act === "remove-folder") await admin()["remove-folder"]({ mailbox, folder });
      else await admin()["change-folder"]({ mailbox, folder, displayName: `Renamed ${serial}` });
      return;
    }
    case "move-folder": {
      const folder = pick(own, act.folder);
      const parent = pick(
        folders.filter(({ wellKnownName }) => wellKnownName !== undefined),
        act.parent,
      );
      if (folder && parent) await admin()["change-folder"]({ mailbox, folder: folder.id, parent: parent.id });
      return;
    }
    case "expire-one":
      await admin()["expire-delta"]({ mailbox, folder: folderAt(act.folder) });
      return;
    case "expire-all":
      await admin()["expire-delta"]({ mailbox });
      return;
    case "fault-export":
      await admin()["add-fault"]({ kind: "reset", when: "mid-answer", endpoint: "export-items", mailbox, count: 1 });
      return;
    case "fault-delta":
      await admin()["add-fault"]({
        kind: "status",
        status: 503,
        endpoint: "*delta*",
        mailbox,
        count: 1,
        retryAfter: 0,
      });
      return;
    case "drop-items":
      await admin()["add-fault"]({
        kind: "export-item",
        outcome: "missing",
        mailbox,
        count: 3,
        rate: 0.3,
      });
      return;
    case "odd-page":
      await admin()["add-fault"]({
        kind: "odd-page",
        endpoint: act.endpoint,
        mailbox,
        oddity: act.oddity,
        count: 1,
      });
      return;
    case "expire-amid": {
      const { endpoint, after, code } = act;
      await admin()["add-fault"]({ kind: "status", status: 410, code, endpoint, after, mailbox, count: 1 });
      return;
    }
    case "item-removed-meanwhile": {
      const item = pick(await itemsOf(mailbox), act.item)?.id;
      const { after } = act;
      const deltas = { kind: "status", endpoint: "items-delta", mailbox } as const;
      const isListed = act.with === "no deltas";
      const endpoint = isListed ? "items" : act.endpoint;
      if (act.expires || isListed) await admin()["expire-delta"]({ mailbox });
      if (item === undefined) return;
      // The delta round that showed the item is lost with its next page.
      if (act.with === "a lost round")
        await admin()["add-fault"]({ ...deltas, status: 410, code: "SyncStateNotFound", after: after + 1, count: 1 });
      // The pages of the listing that has to do move up by one, over an item that is not shown then.
      if (isListed) await admin()["add-fault"]({ ...deltas, status: 403, code: "ErrorQuotaExceeded" });
      await admin()["add-fault"]({
        kind: "meanwhile",
        endpoint,
        mailbox,
        after,
        count: 1,
        act: { act: "remove-item", item },
      });
      return;
    }
    case "folders-meanwhile": {
      const folder = pick(own, act.folder)?.id ?? "";
      const parent = pick(
        folders.filter(({ wellKnownName }) => wellKnownName !== undefined),
        act.parent,
      )?.id;
      const change = {
        create: { act: "create", parent, displayName: `New ${serial}` },
        rename: { act: "change", folder, displayName: `Renamed ${serial}` },
        move: { act: "change", folder, parent },
        remove: { act: "remove", folder },
      } as const;
      if (act.expires) await admin()["expire-delta"]({ mailbox });
      const { endpoint, after, what } = act;
      await admin()["add-fault"]({ kind: "meanwhile", endpoint, mailbox, after, count: 1, act: change[what] });
      return;
    }
    case "refuse-items":
      await admin()["add-fault"]({
        kind: "export-item",
        outcome: "error",
        code: act.code,
        mailbox,
        count: 1,
        rate: 0.3,
      });
      return;
    case "quota":
      await admin()["add-fault"]({
        kind: "status",
        status: 403,
        code: "ErrorQuotaExceeded",
        endpoint: "items-delta",
        mailbox,
        count: 1,
      });
  }
};

const sha256Of = async (content: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash("sha256");
  for await (const piece of content) hash.update(piece);
  return hash.digest("hex");
};

/** Item by item: folder, id, type and the hash of the stream that is read from the vault; and items without a time. */
const inVault = async (vault: ReturnType<typeof memoryBlobs>, key: string, snapshot: string) => {
  const items: string[] = [];
  const untimed: string[] = [];
  for await (const record of foldSnapshot(vault, key, snapshot)) {
    const { folderId, id, type, created, modified } = record;
    items.push(`${folderId} ${id} ${type} ${await sha256Of(readItem(vault, record))}`);
    if (created === undefined || modified === undefined) untimed.push(id);
  }
  return { items: items.toSorted(), untimed };
};

const inMailbox = async (mailbox: string): Promise<string[]> =>
  (await itemsOf(mailbox)).map(({ folderId, id, type, sha256 }) => `${folderId} ${id} ${type} ${sha256}`).toSorted();

const aMailbox = async (items: number, layout?: "inbox-only"): Promise<MailboxRef> => {
  mailboxes += 1;
  const user = await admin()["add-mailbox"]({
    kind: "generated",
    userPrincipalName: `person-${mailboxes}@contoso.example`,
    items,
    ...(layout === undefined ? { userFolders: 3 } : { layout, userFolders: 0 }),
    bytes: { fixed: 600 },
  });
  const id = user.mailboxId ?? "";
  return { key: mailboxKey(id), id, kind: "primary", userId: user.userId };
};

/** What a mailbox lives through, and how it is backed up meanwhile. */
interface History {
  readonly nights: readonly (readonly Act[])[];
  readonly behaviours: Behaviours;
  readonly pace: {
    readonly waveMs: number;
    readonly slots: number;
    readonly wanders: boolean;
    readonly deliveries: number;
  };
  readonly planWaves?: number | undefined;
  readonly odd?: Odd | undefined;
  readonly deaths: readonly Death[];
  readonly layout?: "inbox-only";
  /** Whether every run must be complete at once. */
  readonly isCalm?: true;
}

/** Lives through a history, and looks at every snapshot. */
const live = async ({
  nights,
  behaviours,
  pace,
  planWaves,
  odd,
  deaths,
  layout,
  isCalm: isAllCalm,
}: History): Promise<void> => {
  await admin().settings({ behaviours: { ...behaviours } });
  const mailbox = await aMailbox(30, layout);
  const vault = memoryBlobs();
  const mortal = mortalBlobs(deaths);
  const place = {
    graphUrl: emulator.graphUrl,
    token: "emulator-token",
    vault: mortal(vault),
    work: mortal(memoryBlobs()),
    state: mortal(memoryBlobs()),
  };
  /** The first run that lives to its end. */
  const backUp = async (options = pace) => {
    for (;;) {
      try {
        return await runBackup(place, mailbox, options);
      } catch (error) {
        // A list of folders that is broken as often as it is asked for fails a run, and the next one asks again.
        if (!(error instanceof DiedError || isBrokenAnswer(error))) throw error;
      }
    }
  };
  const addOdd = async () => {
    if (odd === undefined) return;
    const { oddities, ...rule } = odd;
    await admin()["add-fault"]({
      kind: "odd-element",
      mailbox: mailbox.id,
      ...rule,
      oddities: [...oddities],
    });
  };
  const hasOddTimes = odd?.oddities.some((oddity) => oddity.endsWith("-zone") || oddity === "empty-time");
  const bare = ({ id, displayName }: { readonly id: string; readonly displayName: string }) =>
    odd?.oddities.includes("null-name") ? id : `${id} ${displayName}`;
  const keysIn = async (snapshot: string) => {
    const keys: string[] = [];
    for await (const { folderId, id } of foldSnapshot(vault, mailbox.key, snapshot)) keys.push(`${folderId} ${id}`);
    return keys;
  };
  let stored: readonly string[] = [];
  /** Nothing that is still there leaves a snapshot, complete or not. */
  const expectNoneLost = async ({ snapshotId }: { readonly snapshotId: string }) => {
    const now = await keysIn(snapshotId);
    const live = new Set((await itemsOf(mailbox.id)).map(({ folderId, id }) => `${folderId} ${id}`));
    expect(stored.filter((key) => live.has(key) && !now.includes(key))).toEqual([]);
    stored = now;
  };
  const isLegal = odd === undefined && planWaves === undefined;
  const forgetsNone = behaviours.deltaForgetsAdded + behaviours.deltaForgetsRemoved === 0;
  let serial = 0;
  for (const acts of [[], ...nights]) {
    for (const act of acts) {
      serial += 1;
      await apply(mailbox.id, act, serial);
    }
    await addOdd();
    const run = await backUp({ ...pace, ...(planWaves && { planWaves }) });
    await admin()["clear-faults"]({});
    await addOdd();
    await expectNoneLost(run);
    const isCalm = isLegal && forgetsNone && (isAllCalm === true || acts.every(({ act }) => CALM.includes(act)));
    if (isCalm) expect(run.state).toBe("complete");
    const isStill = acts.every(({ act }) => !act.endsWith("-meanwhile"));
    const isWhole = isStill && run.totals.failed === 0 && run.state === "complete";
    let again = isWhole ? run : await backUp();
    // A run compares only what it planned itself, and what it finds is for the next one.
    for (let more = 0; again.state === "partial" && more < 2; more += 1) {
      await expectNoneLost(again);
      again = await backUp();
    }
    await expectNoneLost(again);
    if (odd === undefined) expect(again.state).toBe("complete");
    await admin()["clear-faults"]({});
    const { items, untimed } = await inVault(vault, mailbox.key, again.snapshotId);
    expect(items).toEqual(await inMailbox(mailbox.id));
    if (!hasOddTimes) expect(untimed).toEqual([]);
    const { folders } = await readFolders(vault, mailbox.key, again.snapshotId);
    const named = folders.map(bare).toSorted();
    const live = (await foldersOf(mailbox.id)).map(bare).toSorted();
    expect(named).toEqual(live);
  }
};

const somePace = fc.record({
  waveMs: fc.constantFrom(1, 60_000),
  slots: fc.integer({ min: 1, max: 4 }),
  wanders: fc.boolean(),
  deliveries: fc.constantFrom(1, 5),
});

describe("a mailbox's history", () => {
  test(
    "is in the vault as it was at every snapshot, item by item, after any acts",
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(anAct, { maxLength: 8 }), { minLength: 1, maxLength: 4 }),
          someBehaviours,
          somePace,
          fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
          someOdd,
          fc.array(fc.record({ write: fc.integer({ min: 1, max: 300 }), after: fc.boolean() }), { maxLength: 6 }),
          (nights, behaviours, pace, planWaves, odd, deaths) =>
            live({ nights, behaviours, pace, planWaves, odd, deaths }),
        ),
        // To shrink a history takes minutes; its seed and path are enough to see it again.
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    Math.max(120_000, 2_000 * RUNS),
  );

  test(
    "is in a complete snapshot at once, where rounds are only lost while items go",
    async () => {
      const aNight = fc.array(
        fc.record({
          act: fc.constant("item-removed-meanwhile" as const),
          endpoint: fc.constant("items-delta"),
          // While the inbox is planned: after ten links that have expired, and before its number is compared.
          after: fc.integer({ min: 6, max: 18 }),
          expires: fc.constant(true),
          with: fc.constant("a lost round" as const),
          item: n,
        }),
        // After more lost rounds, a folder is planned from its listing alone, which tells nothing of what goes later.
        { minLength: 1, maxLength: 2 },
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(aNight, { minLength: 1, maxLength: 3 }),
          legalBehaviours,
          somePace,
          (nights, legal, pace) => {
            const behaviours = { ...legal, deltaForgetsAdded: 0, deltaForgetsRemoved: 0, maxPageSize: 3 };
            return live({ nights, behaviours, pace, deaths: [], layout: "inbox-only", isCalm: true });
          },
        ),
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    Math.max(120_000, 2_000 * RUNS),
  );
});
