import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyKey, messageKey } from "../../../../functions/restore/paging/copy-keys.ts";
import { matchByCopy, matchByMessage } from "../../../../functions/restore/plan/match-copies.ts";
import type { CopyEntry, LiveEntry } from "../../../../functions/restore/plan/plan-state.ts";
import type { ItemFacts, PutRecord } from "../../../../shared/vault/records.ts";
import { aPut, someFacts } from "../../../shared/vault/samples.ts";

const message = { internetMessageId: "<1@contoso.example>", received: "2026-11-20T08:00:00.000Z" };
const inbox = { folderId: "inbox" };

/** Two folders of the snapshot that are one in the target. */
const folderKeyOf = (folderId: string): string => (folderId === "twin" ? "inbox" : folderId);

const groupsOf = <T>(entries: readonly T[], keyOf: (entry: T) => string): [string, T[]][] => {
  const groups = new Map<string, T[]>();
  for (const entry of entries) groups.set(keyOf(entry), [...(groups.get(keyOf(entry)) ?? []), entry]);
  return [...groups];
};

const aLive = (facts: ItemFacts): LiveEntry => {
  const key = messageKey("inbox", facts);
  const keyed = facts.searchKey !== undefined;
  return { t: "live", id: facts.id, changeKey: facts.changeKey, keyed, ...(key !== undefined && { message: key }) };
};

/** The live copy that each item of the snapshot gets, by the item's id: both passes, as a plan makes them. */
const copiesOf = (live: readonly ItemFacts[], items: readonly PutRecord[]): Map<string, string | undefined> => {
  const keys = new Map<CopyEntry, string>();
  for (const facts of live) keys.set(aLive(facts), copyKey("inbox", facts));
  for (const [order, item] of items.entries())
    keys.set({ t: "item", order, item }, copyKey(folderKeyOf(item.folderId), item));
  const liveKeyless = live.some(({ searchKey }) => searchKey === undefined);
  const first = groupsOf([...keys.keys()], (entry) => keys.get(entry) ?? "").map(([key, group]) =>
    matchByCopy(key, group, { folderKeyOf, liveKeyless }),
  );
  const left = first.flatMap((matched) => matched.left);
  const second = groupsOf(
    left,
    (entry) => (entry.t === "live" ? entry.message : messageKey(folderKeyOf(entry.item.folderId), entry.item)) ?? "",
  ).flatMap(([, group]) => matchByMessage(group));
  const matched = [...first.flatMap((each) => each.items), ...second];
  return new Map(matched.map(({ item, copy }) => [item.id, copy?.id]));
};

const numbered = (n: number) => ({ id: `live-${n}` });

describe("copies", () => {
  test.each([
    ["one search key", true, { searchKey: "k" }, { searchKey: "k" }],
    ["two search keys", false, { searchKey: "k", ...message }, { searchKey: "j", ...message }],
    ["a message without a live search key", true, { ...message }, { searchKey: "k", ...message }],
    ["a message without a stored search key", true, { searchKey: "k", ...message }, { ...message }],
    ["a message without any search key", true, message, { ...message, received: "2026-11-20T09:00:00+01:00" }],
    ["a message of another time", false, message, { ...message, received: "2026-11-20T08:00:01.000Z" }],
    ["a message without an id", false, { received: message.received }, { received: message.received }],
    ["nothing but an id", false, { id: "one" }, { id: "one" }],
    ["another folder", false, { searchKey: "k" }, { searchKey: "k", folderId: "sent" }],
  ])("match or not by %s: %s", (_, expected, live, item) => {
    const copies = copiesOf([someFacts(live)], [aPut({ ...inbox, ...item })]);

    expect([...copies.values()][0] !== undefined).toBe(expected);
  });

  test("are of one item each, by search key or by message", () => {
    const live = [someFacts({ searchKey: "k", ...message })];
    const items = [aPut({ ...inbox, id: "1", ...message }), aPut({ ...inbox, id: "2", searchKey: "k", ...message })];

    expect([...copiesOf(live, items).values()].filter((copy) => copy !== undefined)).toHaveLength(1);
  });

  test("are of one item each for folders of the snapshot that are one in the target", () => {
    const items = ["twin", "inbox"].map((folderId) => aPut({ folderId, id: folderId, searchKey: "k" }));

    expect(copiesOf([someFacts({ searchKey: "k" })], items).get("twin")).toBeDefined();
    expect(copiesOf([someFacts({ searchKey: "k" })], items).get("inbox")).toBeUndefined();
  });

  test("are of the item with the same id, whichever is asked first", () => {
    const live = ["one", "two", "three"].map((id) => someFacts({ id, searchKey: "k" }));
    const items = ["gone", "two", "one", "gone, too"].map((id) => aPut({ ...inbox, id, searchKey: "k" }));

    expect(Object.fromEntries(copiesOf(live, items))).toEqual({
      gone: "three",
      "gone, too": undefined,
      one: "one",
      two: "two",
    });
  });

  test("count once however often a listing shows them", () => {
    const live = [someFacts({ id: "one", searchKey: "k" }), someFacts({ id: "one", searchKey: "k" })];
    const items = ["1", "2"].map((id) => aPut({ ...inbox, id, searchKey: "k" }));

    expect([...copiesOf(live, items).values()]).toEqual(["one", undefined]);
  });

  test("are as many of a search key as the target has, and no more", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 30 });
    fc.assert(
      fc.property(keys, keys, (live, wanted) => {
        const facts = live.map((searchKey, n) => someFacts({ ...numbered(n), searchKey }));
        const items = wanted.map((searchKey, n) => aPut({ ...inbox, id: `${n}`, searchKey }));
        const copies = copiesOf(facts, items);
        const taken = wanted.filter((_, n) => copies.get(`${n}`) !== undefined);
        const count = (list: readonly string[], key: string) => list.filter((each) => each === key).length;
        for (const key of ["a", "b", "c"])
          expect(count(taken, key)).toBe(Math.min(count(live, key), count(wanted, key)));
      }),
    );
  });

  test("by messages and search keys together are one item's each", () => {
    const some = fc.record({ searchKey: fc.constantFrom("a", "b", undefined), n: fc.nat(2) });
    const factsOf = ({ searchKey, n }: { searchKey: string | undefined; n: number }) => ({
      ...(searchKey !== undefined && { searchKey }),
      ...message,
      internetMessageId: `<${n}>`,
    });
    fc.assert(
      fc.property(fc.array(some), fc.array(some), (live, wanted) => {
        const facts = live.map((each, n) => someFacts({ ...numbered(n), ...factsOf(each) }));
        const items = wanted.map((each, n) => aPut({ ...inbox, id: `${n}`, ...factsOf(each) }));
        const copies = copiesOf(facts, items);
        expect(copies.size).toBe(items.length);
        const taken = [...copies].flatMap(([id, copy]) => (copy === undefined ? [] : [[id, copy] as const]));
        expect(new Set(taken.map(([, copy]) => copy)).size).toBe(taken.length);
        for (const [id, copy] of taken) {
          const item = items[Number(id)];
          const its = facts.find((each) => each.id === copy);
          const isOneKey = its?.searchKey !== undefined && its.searchKey === item?.searchKey;
          const isKeyless = its?.searchKey === undefined || item?.searchKey === undefined;
          expect(isOneKey || (isKeyless && its?.internetMessageId === item?.internetMessageId)).toBe(true);
        }
      }),
    );
  });
});
