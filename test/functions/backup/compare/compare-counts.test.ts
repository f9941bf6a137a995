import { describe, expect, test } from "vitest";
import { type Books, type CountedFolder, compareCounts } from "../../../../functions/backup/compare/compare-counts.ts";
import type { Behaviours } from "../../../../local/graph/settings.ts";
import { deltaItems } from "../../../../shared/graph/items.ts";
import { aMailboxInGraph } from "../../kit.ts";

/** An inbox whose items are all in the books, as a run planned it, and the run began after all of them were created. */
const aPlannedInbox = async (behaviours: Partial<Behaviours> = {}, items = 30) => {
  const kit = await aMailboxInGraph({ items });
  await kit.admin.settings({ behaviours });
  const graph = kit.openGraph({ untilMs: Date.now() + 600_000 });
  const id = await kit.folderId();
  const ids = new Set((await kit.items()).map((item) => item.id));
  const told = new Set<string>();
  const books: Books = {
    count: () => ids.size,
    has: (item) => ids.has(item.id),
    idsIn: async function* () {
      yield* ids;
    },
    tells: (item) => told.has(item.id),
  };
  let deltaLink: string | undefined;
  for (let link: string | undefined; deltaLink === undefined; ) {
    const page: Awaited<ReturnType<typeof deltaItems>> = await deltaItems(graph, kit.mailbox, id, link);
    link = page.nextLink;
    deltaLink = page.deltaLink;
  }
  await kit.admin["reset-counters"]({});
  const folder: CountedFolder = { id, itemCount: items, isCounted: true, deltaLink };
  const started = new Date(Date.now() + 1_000).toISOString();
  const compare = (overrides: Partial<CountedFolder> = {}) =>
    compareCounts({ graph, mailbox: kit.mailbox, books, started }, { ...folder, ...overrides });
  const remove = (item: string) => kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item });
  const add = async (count = 1) =>
    (await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count })).ids;
  const asked = async () => (await kit.admin.counters({})).requests;
  const [first = ""] = ids;
  return { ...kit, id, ids, told, first, compare, remove, add, asked };
};

const noLink = { deltaLink: undefined };

describe("compareCounts", () => {
  test("asks Graph nothing about a folder whose number is that of the books, or above it as before", async () => {
    const { compare, asked } = await aPlannedInbox();

    expect(await compare()).toMatchObject({ itemCount: 30, heldItems: 30 });
    expect(await compare({ itemCount: 34, itemCountBefore: 24, heldItems: 20 })).toMatchObject({
      itemCount: 34,
      heldItems: 30,
    });
    expect(await asked()).toEqual({});
  });

  test("takes what came and went since the folder was planned for the next run's", async () => {
    const { compare, remove, add, first, asked } = await aPlannedInbox();
    await remove(first);
    await add(3);

    expect(await compare({ itemCount: 29 })).toMatchObject({ itemCount: 30, heldItems: 30 });
    expect(await asked()).toEqual({ folder: 1, "items-delta": 1 });
  });

  test("takes no removal that is not clear for an item that came", async () => {
    const { compare, remove, first, fault } = await aPlannedInbox();
    await remove(first);
    await fault({ kind: "odd-element", endpoint: "items-delta", oddities: ["removed-null"] });

    expect(await compare({ itemCount: 29 })).toMatchObject({ itemCount: 30, heldItems: 30 });
  });

  test("needs one look at a folder whose number was not read in this run", async () => {
    const { compare, asked } = await aPlannedInbox();

    expect(await compare({ itemCount: 12, isCounted: false, ...noLink })).toMatchObject({
      itemCount: 30,
      heldItems: 30,
    });
    expect(await asked()).toEqual({ folder: 1 });
  });

  test("finds an item that was there before the run, and that the books lack", async () => {
    const { compare, ids, first } = await aPlannedInbox();
    ids.delete(first);

    expect(await compare()).toMatchObject({
      problem: "the folder holds 30 items, and the snapshot has 29: 1 are missing, 0 are gone without a removal",
    });
  });

  test("finds an item that the books have, and that went without a removal", async () => {
    const { compare, remove, first } = await aPlannedInbox();
    await remove(first);

    expect(await compare({ ...noLink, itemCount: 29 })).toMatchObject({
      problem: expect.stringContaining("has 30: 0 are missing, 1 are gone without a removal"),
    });
  });

  test("misses no item of which the snapshot tells that it lacks it", async () => {
    const { compare, ids, told, first } = await aPlannedInbox();
    ids.delete(first);
    told.add(first);

    expect(await compare()).toMatchObject({ itemCount: 30, heldItems: 29 });
  });

  test("notes a difference that its listing does not show, and expects it from then on", async () => {
    const { compare, asked, admin } = await aPlannedInbox({ uncountedItems: 5 });

    const noted = await compare({ itemCount: 35 });
    await admin["reset-counters"]({});

    expect(noted).toMatchObject({ itemCount: 35, heldItems: 30 });
    expect(await compare({ itemCount: 35, itemCountBefore: 35, heldItems: noted.heldItems })).toEqual(noted);
    expect(await asked()).toEqual({});
  });

  test("tells a difference that Graph does not let it look into", async () => {
    const { compare, ids, first, fault } = await aPlannedInbox();
    ids.delete(first);
    await fault({ kind: "status", endpoint: "items", status: 403, code: "ErrorAccessDenied" });

    expect(await compare()).toMatchObject({
      problem: "the folder holds 30 items, and the snapshot has 29: they are compared when the next run has listed it",
    });
  });

  test("tells no difference of a folder that is gone", async () => {
    const { compare, ids, id, first, fault } = await aPlannedInbox();
    ids.delete(first);
    await fault({ kind: "status", endpoint: "folder", status: 404, code: "ErrorItemNotFound" });

    expect(await compare()).toEqual({ folderId: id });
  });
});
