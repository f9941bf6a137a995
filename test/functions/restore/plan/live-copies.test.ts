import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { liveCopies } from "../../../../functions/restore/plan/live-copies.ts";
import { aPut, someFacts } from "../../../shared/vault/samples.ts";

const letter = { internetMessageId: "<1@contoso.example>", received: "2026-11-20T08:00:00.000Z" };
const inbox = { folderId: "inbox" };

/** Two folders of the snapshot that are one in the target. */
const placeOf = (folderId: string): string => (folderId === "twin" ? "inbox" : folderId);

const matches = (live: Parameters<typeof someFacts>[0], item: Parameters<typeof aPut>[0]): boolean => {
  const copies = liveCopies({ ids: true, keyless: true, placeOf });
  copies.add("inbox", someFacts(live));
  return copies.take(aPut({ ...inbox, ...item })) !== undefined;
};

describe("liveCopies", () => {
  test.each([
    ["one search key", true, { searchKey: "k" }, { searchKey: "k" }],
    ["two search keys", false, { searchKey: "k", ...letter }, { searchKey: "j", ...letter }],
    ["a letter that has no live search key", true, { ...letter }, { searchKey: "k", ...letter }],
    ["a letter that has no stored search key", true, { searchKey: "k", ...letter }, { ...letter }],
    ["a letter without any search key", true, letter, { ...letter, received: "2026-11-20T09:00:00+01:00" }],
    ["a letter of another time", false, letter, { ...letter, received: "2026-11-20T08:00:01.000Z" }],
    ["a letter without an id", false, { received: letter.received }, { received: letter.received }],
    ["another folder", false, { searchKey: "k" }, { searchKey: "k", folderId: "sent" }],
  ])("matches or not by %s: %s", (_, expected, live, item) => {
    expect(matches(live, item)).toBe(expected);
  });

  test("gives a live item to one item only, however it was found", () => {
    const copies = liveCopies({ ids: true, keyless: true, placeOf });
    copies.add("inbox", someFacts({ searchKey: "k", ...letter }));

    expect(copies.take(aPut({ ...inbox, ...letter }))).toBeDefined();
    expect(copies.take(aPut({ ...inbox, searchKey: "k", ...letter }))).toBeUndefined();
  });

  test("gives a live item once to folders of the snapshot that are one in the target", () => {
    const copies = liveCopies({ ids: true, keyless: true, placeOf });
    copies.add("inbox", someFacts({ searchKey: "k" }));

    expect(copies.take(aPut({ folderId: "twin", searchKey: "k" }))).toBeDefined();
    expect(copies.take(aPut({ folderId: "inbox", searchKey: "k" }))).toBeUndefined();
  });

  test("gives the very item rather than another copy of it", () => {
    const copies = liveCopies({ ids: true, keyless: true, placeOf });
    for (const id of ["one", "two", "three"])
      copies.add("inbox", someFacts({ id, changeKey: `${id}!`, searchKey: "k" }));
    const take = (id: string) => copies.take(aPut({ ...inbox, id, searchKey: "k" }));

    expect(take("two")).toEqual({ id: "two", changeKey: "two!" });
    expect(take("gone")).toBeDefined();
    expect(take("gone, too")).toBeDefined();
    expect(take("one")).toBeUndefined();
  });

  test("counts: of each key as many are taken as are there, and no more", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 30 });
    fc.assert(
      fc.property(keys, keys, fc.boolean(), (live, wanted, ids) => {
        const copies = liveCopies({ ids, keyless: false, placeOf });
        for (const [n, searchKey] of live.entries()) copies.add("inbox", someFacts({ id: `live-${n}`, searchKey }));
        const taken = wanted.filter((searchKey) => copies.take(aPut({ ...inbox, searchKey })) !== undefined);
        const count = (list: string[], key: string) => list.filter((each) => each === key).length;
        for (const key of ["a", "b", "c"])
          expect(count(taken, key)).toBe(Math.min(count(live, key), count(wanted, key)));
      }),
    );
  });
});
