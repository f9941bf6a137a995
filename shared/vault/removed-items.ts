import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import { copyCounter } from "../copy-counter.ts";
import type { Blobs } from "../storage/blobs.ts";
import { foldSnapshot } from "./fold.ts";
import { type ItemSet, itemSet } from "./item-set.ts";
import { findSnapshotAt, readHead } from "./snapshots.ts";

/**
 * The items of a snapshot that went away after a moment, as far as snapshots tell. An item did if
 *
 * - the newest snapshot does not hold it in that folder any more,
 * - the last snapshot that had begun by the moment holds it, where that one is later than the chosen one: else the item
 *   was gone before, and
 * - it did not move: the newest snapshot holds no copy of it, by search key, that the chosen one does not hold in the same
 *   place. Copies are counted, so that of two copies of which one went away, one did.
 *
 * An item that went away between the last snapshot before the moment and the moment itself counts, as nothing tells. Run
 * again later, the newest snapshot may be another one.
 */
export const removedItems = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  chosen: SnapshotId,
  since: string,
): Promise<Pick<ItemSet, "has">> => {
  const itemsOf = (snapshotId: SnapshotId) => foldSnapshot(vault, mailboxKey, snapshotId);
  const newest = (await readHead(vault, mailboxKey))?.newest?.id ?? chosen;
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
