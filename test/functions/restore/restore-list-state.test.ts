import { describe, expect, test } from "vitest";
import type { ListPosition } from "../../../functions/restore/restore-list.contract.ts";
import { findRestoreList, keepRestoreList, takeListed } from "../../../functions/restore/restore-list-state.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aListed, aListId } from "./a-list.ts";

/** Two restores into one mailbox, and one into another. */
const aList = async () => {
  const work = memoryBlobs();
  const list = [[aListed(0), aListed(1)], [aListed(2)]];
  await keepRestoreList(work, aListId, list);
  const take = (taker: number, turn: number, at?: ListPosition) => takeListed(work, aListId, { taker, turn, at });
  return { work, list, take };
};

describe("a list of restores", () => {
  test("returns each restore once, and those into one mailbox to one taker, one after the other", async () => {
    const { take } = await aList();

    const one = await take(0, 0);
    const other = await take(1, 0);
    expect([one?.restore, other?.restore]).toEqual([aListed(0), aListed(2)]);
    expect(await take(1, 1, other?.at)).toBeUndefined();
    const next = await take(0, 1, one?.at);
    expect(next?.restore).toEqual(aListed(1));
    expect(await take(0, 2, next?.at)).toBeUndefined();
  });

  test("returns the same restore for the same turn", async () => {
    const { take } = await aList();

    const first = await take(0, 0);
    expect(await take(0, 0)).toEqual(first);
    const second = await take(0, 1, first?.at);
    expect(await take(0, 1, first?.at)).toEqual(second);
    expect((await take(0, 2, second?.at))?.restore).toEqual(aListed(2));
  });

  test("stays as it was first kept, and fails when it has expired", async () => {
    const { work, list, take } = await aList();
    await keepRestoreList(work, aListId, [[aListed(5)]]);
    expect(await findRestoreList(work, aListId)).toEqual(list);

    work.blobs.clear();
    await expect(take(0, 0)).rejects.toThrow(`List ${aListId} does not exist any more`);
  });
});
