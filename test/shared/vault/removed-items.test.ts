import { describe, expect, test } from "vitest";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";
import { removedItems } from "../../../shared/vault/removed-items.ts";
import { writeHistory } from "../../functions/browse/a-vault.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { aKey, aPut, snapshotAt } from "./samples.ts";

const put = (id: string, { folderId = "inbox", searchKey = `key of ${id}` } = {}) => aPut({ id, folderId, searchKey });
const remove = (id: string, folderId = "inbox"): CatalogueRecord => {
  return { v: 1, op: "remove", id, folderId, reason: "deleted" };
};

/** The moment in the middle of the second at which the nth snapshot began; snapshots are a second apart. */
const justAfter = (n: number): string => `2026-11-22T01:00:0${n}.999Z`;

/** Which of the items of the inbox are removed, by snapshots of one part each. */
const removed = async (snapshots: readonly CatalogueRecord[][], chosen: number, since: string, ids: string[]) => {
  const vault = memoryBlobs();
  await writeHistory(
    vault,
    snapshots.map((records) => [records]),
  );
  const found = await removedItems(vault, aKey, snapshotAt(chosen), since);
  return ids.filter((id) => found.has({ folderId: "inbox", id }));
};

describe("removedItems", () => {
  const history = [[put("a"), put("b"), put("c")], [remove("a")], [remove("b"), put("d")], [remove("d")]];

  test("are those of the chosen snapshot that the newest no longer has", async () => {
    expect(await removed(history, 0, justAfter(0), ["a", "b", "c", "d"])).toEqual(["a", "b"]);
    expect(await removed(history, 2, justAfter(0), ["a", "b", "c", "d"])).toEqual(["d"]);
  });

  test("leave out items that were removed before the moment, though the chosen snapshot has them", async () => {
    expect(await removed(history, 0, justAfter(1), ["a", "b", "c"])).toEqual(["b"]);
    expect(await removed(history, 0, justAfter(3), ["a", "b", "c"])).toEqual([]);
  });

  test("are all removed items when no snapshot is as old as the moment", async () => {
    expect(await removed(history, 0, "2020-01-01", ["a", "b", "c"])).toEqual(["a", "b"]);
  });

  test("are none when the newest snapshot is chosen", async () => {
    expect(await removed(history, 3, justAfter(0), ["a", "b", "c", "d"])).toEqual([]);
  });

  test("do not include moved items, whose ids changed", async () => {
    const moved = [
      [put("a"), put("b")],
      [remove("a"), put("a2", { folderId: "archive", searchKey: "key of a" })],
    ];

    expect(await removed(moved, 0, justAfter(0), ["a", "b"])).toEqual([]);
  });

  test("count copies: of three of which one is moved and one is deleted, one is removed", async () => {
    const copies = ["a", "b", "c"].map((id) => put(id, { searchKey: "k" }));
    const later = [remove("a"), remove("b"), put("a2", { folderId: "archive", searchKey: "k" })];

    expect(await removed([copies, later], 0, justAfter(0), ["a", "b", "c"])).toHaveLength(1);
  });
});
