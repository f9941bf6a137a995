import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { liveCopies } from "../../../../functions/restore/plan/live-copies.ts";
import { aPut, someFacts } from "../../../shared/vault/samples.ts";

const message = { internetMessageId: "<1@contoso.example>", received: "2026-11-20T08:00:00.000Z" };
const inbox = { folderId: "inbox" };

/** Two folders of the snapshot that are one in the target. */
const targetKeyOf = (folderId: string): string => (folderId === "twin" ? "inbox" : folderId);

const matches = (live: Parameters<typeof someFacts>[0], item: Parameters<typeof aPut>[0]): boolean => {
  const copies = liveCopies({ ids: true, keyless: true, targetKeyOf });
  copies.add("inbox", someFacts(live));
  return copies.take(aPut({ ...inbox, ...item })) !== undefined;
};

describe("liveCopies", () => {
  test.each([
    ["one search key", true, { searchKey: "k" }, { searchKey: "k" }],
    ["two search keys", false, { searchKey: "k", ...message }, { searchKey: "j", ...message }],
    ["a message without a live search key", true, { ...message }, { searchKey: "k", ...message }],
    ["a message without a stored search key", true, { searchKey: "k", ...message }, { ...message }],
    ["a message without any search key", true, message, { ...message, received: "2026-11-20T09:00:00+01:00" }],
    ["a message of another time", false, message, { ...message, received: "2026-11-20T08:00:01.000Z" }],
    ["a message without an id", false, { received: message.received }, { received: message.received }],
    ["another folder", false, { searchKey: "k" }, { searchKey: "k", folderId: "sent" }],
  ])("matches or not by %s: %s", (_, expected, live, item) => {
    expect(matches(live, item)).toBe(expected);
  });

  test("returns a live item for one item only, by search key or by message", () => {
    const copies = liveCopies({ ids: true, keyless: true, targetKeyOf });
    copies.add("inbox", someFacts({ searchKey: "k", ...message }));

    expect(copies.take(aPut({ ...inbox, ...message }))).toBeDefined();
    expect(copies.take(aPut({ ...inbox, searchKey: "k", ...message }))).toBeUndefined();
  });

  test("returns a live item once for folders of the snapshot that are one in the target", () => {
    const copies = liveCopies({ ids: true, keyless: true, targetKeyOf });
    copies.add("inbox", someFacts({ searchKey: "k" }));

    expect(copies.take(aPut({ folderId: "twin", searchKey: "k" }))).toBeDefined();
    expect(copies.take(aPut({ folderId: "inbox", searchKey: "k" }))).toBeUndefined();
  });

  test("prefers the item with the same id to another copy", () => {
    const copies = liveCopies({ ids: true, keyless: true, targetKeyOf });
    for (const id of ["one", "two", "three"])
      copies.add("inbox", someFacts({ id, changeKey: `${id}!`, searchKey: "k" }));
    const take = (id: string) => copies.take(aPut({ ...inbox, id, searchKey: "k" }));

    expect(take("two")).toEqual({ id: "two", changeKey: "two!" });
    expect(take("gone")).toBeDefined();
    expect(take("gone, too")).toBeDefined();
    expect(take("one")).toBeUndefined();
  });

  test("returns as many copies of a search key as the target has, and no more", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 30 });
    fc.assert(
      fc.property(keys, keys, fc.boolean(), (live, wanted, ids) => {
        const copies = liveCopies({ ids, keyless: false, targetKeyOf });
        for (const [n, searchKey] of live.entries()) copies.add("inbox", someFacts({ id: `live-${n}`, searchKey }));
        const taken = wanted.filter((searchKey) => copies.take(aPut({ ...inbox, searchKey })) !== undefined);
        const count = (list: string[], key: string) => list.filter((each) => each === key).length;
        for (const key of ["a", "b", "c"])
          expect(count(taken, key)).toBe(Math.min(count(live, key), count(wanted, key)));
      }),
    );
  });
});
