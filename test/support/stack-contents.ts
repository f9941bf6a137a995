import { createHash } from "node:crypto";
import type { Item } from "../../local/stack/admin.ts";
import type { SnapshotId } from "../../shared/contracts/ids.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { readItem } from "../../shared/vault/pack-reader.ts";
import { listSnapshots } from "../../shared/vault/snapshots.ts";
import type { TestStack } from "./stack.ts";

/** An item as a snapshot and a mailbox must agree on it: one line, so that lists of them compare and print well. */
const lineOf = (item: { folderId: string; id: string; sha256: string }): string =>
  `${item.folderId} ${item.id} ${item.sha256}`;

/** Every item of a mailbox, sorted. */
export const mailboxLines = async ({ graph }: TestStack, user: string): Promise<string[]> =>
  (await graph.items(user)).map(lineOf).toSorted();

export const snapshotsOf = async ({ vault, keyOf }: TestStack, user: string): Promise<SnapshotId[]> => {
  const ids: SnapshotId[] = [];
  for await (const id of listSnapshots(vault, await keyOf(user))) ids.push(id);
  return ids;
};

/** Every item of a snapshot, sorted, each read out of its pack and hashed here. */
export const snapshotLines = async (stack: TestStack, user: string, snapshot?: SnapshotId): Promise<string[]> => {
  const key = await stack.keyOf(user);
  const id = snapshot ?? (await snapshotsOf(stack, user)).at(-1) ?? "";
  const lines: string[] = [];
  for await (const record of foldSnapshot(stack.vault, key, id)) {
    const hash = createHash("sha256");
    for await (const piece of readItem(stack.vault, record)) hash.update(piece);
    lines.push(lineOf({ ...record, sha256: hash.digest("hex") }));
  }
  return lines.toSorted();
};

/** The hashes of items' streams, each as often as it is there, sorted. */
export const streams = (items: readonly Item[]): string[] => items.map(({ sha256 }) => sha256).toSorted();

/** The items in the folders that are there now and were not before. */
export const itemsInNewFolders = async ({ graph }: TestStack, user: string, before: ReadonlySet<string>) => {
  const items = await graph.items(user);
  return items.filter(({ folderId }) => !before.has(folderId));
};

export const folderIds = async ({ graph }: TestStack, user: string): Promise<Set<string>> =>
  new Set((await graph.folders(user)).map(({ id }) => id));
