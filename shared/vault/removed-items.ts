import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import { copyCounter } from "../copy-counter.ts";
import type { Blobs } from "../storage/blobs.ts";
import { foldSnapshot } from "./fold.ts";
import { type ItemSet, itemSet } from "./item-set.ts";
import { findNewest } from "./newest.ts";
import { findSnapshotAt } from "./snapshots.ts";

/**
 * The items of the chosen snapshot that were removed after a moment, judged by snapshots. An item was removed if
 *
 * - the newest snapshot does not have it in its folder any more,
 * - the last snapshot that had begun by the moment has it, if that one is later than the chosen one: otherwise the item
 *   was removed before the moment, and
 * - it did not move: by search key, the newest snapshot has no copy of it that the chosen one does not have in the same
 *   folder. Copies are counted: when one of two copies was removed, one item is.
 *
 * An item that was removed between the last snapshot before the moment and the moment itself is included, as no
 * snapshot shows the difference. A later call may see another newest snapshot.
 */
export const removedItems = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  chosen: SnapshotId,
  since: string,
): Promise<Pick<ItemSet, "has">> => {
  const itemsOf = (snapshotId: SnapshotId) => foldSnapshot(vault, mailboxKey, snapshotId);
  const newest = (await findNewest(vault, mailboxKey)).whole?.manifest.id ?? chosen;
  const before = (await findSnapshotAt(vault, mailboxKey, since)) ?? chosen;

  const held = await setOf(itemsOf(chosen));
  const heldBefore = before > chosen ? await setOf(itemsOf(before)) : held;
  const still = itemSet();
  const arrived = copyCounter();
  for await (const item of itemsOf(newest)) {
    still.add(item);
    if (!held.has(item)) arrived.add("", item.searchKey);
  }

  const removed = itemSet();
  for await (const item of itemsOf(chosen)) {
    if (still.has(item) || arrived.take("", item.searchKey)) continue;
    if (heldBefore.has(item)) removed.add(item);
  }
  return removed;
};

const setOf = async (items: AsyncIterable<{ folderId: string; id: string }>): Promise<ItemSet> => {
  const set = itemSet();
  for await (const item of items) set.add(item);
  return set;
};
