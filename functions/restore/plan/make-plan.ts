import { randomBytes } from "node:crypto";
import type * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { PAGE_ITEMS } from "../../../shared/contracts/limits.ts";
import { base64Length } from "../../../shared/graph/base64-encode.ts";
import { type LiveFolder, listFolders } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { eachItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import type { PutRecord, SnapshotFolder } from "../../../shared/vault/records.ts";
import { chooseSnapshot } from "../request/choose-snapshot.ts";
import { selectFolders, selectItems } from "../request/selection.ts";
import type { planRestore, Selection } from "../restore.contract.ts";
import {
  keepRestoreChunk,
  keepRestorePlan,
  type RestorePlanState,
  readSelection,
  type TargetFolder,
} from "../restore-state.ts";
import { copyTimes } from "./copy-times.ts";
import { cutChunks } from "./cut-chunks.ts";
import { type LiveCopies, liveCopies } from "./live-copies.ts";
import { decideAnew, decideAsReviewed } from "./reviewed-items.ts";
import { sortedItems } from "./sorted-items.ts";
import { targetFolders, targetKeys } from "./target-folders.ts";
import { timeRequests } from "./time-requests.ts";

/** Bytes of an import's body beside the item: a folder id and the names of the fields. */
const ENVELOPE_BYTES = 200;

/**
 * Plans a restore: the folders it needs, and the items to import, newest first. `onConflict` decides about an item with
 * a live copy in its target folder: leave it out, import it all the same, or replace the copy if it differs. Of a plan
 * that was reviewed, what has a copy by now is left out.
 *
 * `started` is asked when the target has been listed. Folds the catalogue twice: for the folders and the order, then
 * for the items.
 */
export const makePlan = async (
  { graph, vault, work }: { readonly graph: GraphClient; readonly vault: Blobs; readonly work: Blobs },
  input: z.output<typeof planRestore.input>,
  started: () => string,
): Promise<RestorePlanState> => {
  const { restoreId, mailbox, into = mailbox, snapshotId, target, onConflict = "skip", planOf } = input;
  const select = await readSelection(work, planOf ?? restoreId, input.select);
  const decide = planOf === undefined ? decideAnew(onConflict) : await decideAsReviewed(work, planOf);
  const snapshot = await chooseSnapshot(vault, mailbox.key, { snapshot: snapshotId, select });
  if (snapshot === undefined) throw new Error(`Snapshot ${snapshotId} is not in the vault any more`);
  const { folders: all } = snapshot;
  const isSelected = await selectItems(vault, snapshot, select);
  const items = () => foldSnapshot(vault, mailbox.key, snapshotId, isSelected);

  const live = await listFolders(graph, into);
  const targetsOf = (selected: readonly SnapshotFolder[]) =>
    targetFolders(target, selected, all, live, topName(restoreId));
  const targetKeyOf = targetKeys(targetsOf(selectFolders(all, select)));
  const times = copyTimes(targetKeyOf);
  const inUse = new Set<string>();
  let keyless = false;
  for await (const item of items()) {
    times.add(item);
    inUse.add(item.folderId);
    keyless ||= item.searchKey === undefined;
  }
  const folders = targetsOf(neededFolders(all, select, inUse));
  const copies = liveCopies({ ids: onConflict === "replace", keyless, targetKeyOf });
  if (onConflict !== "duplicate") await addLiveItems(copies, graph, into, folders);

  const generation = randomBytes(6).toString("hex");
  const sorted = sortedItems({ work, restoreId, generation }, times.ranks());
  const counts = { items: 0, present: 0, replaced: 0, bytes: 0, bodyBytes: 0, chunks: 0 };
  const arriving = countsByFolder();
  const present = countsByFolder();
  for await (const item of items()) {
    const copy = copies.take(item);
    const planned = decide(item, copy);
    if (planned === "not-reviewed") continue;
    if (planned === "present") {
      counts.present += 1;
      present.add(item);
      continue;
    }
    await sorted.add(planned);
    counts.items += 1;
    counts.bytes += item.rawBytes;
    counts.bodyBytes += base64Length(item.rawBytes) + ENVELOPE_BYTES;
    if (planned.replaces === undefined) arriving.add(item);
    else counts.replaced += 1;
  }
  for await (const chunk of cutChunks(sorted.all())) {
    await keepRestoreChunk(work, restoreId, generation, counts.chunks, chunk);
    counts.chunks += 1;
  }
  const secondsPerRequest = await timeRequests(graph, into);
  return keepRestorePlan(work, restoreId, {
    ...counts,
    generation,
    started: started(),
    onConflict,
    pages: pagesOf(folders, live, arriving),
    secondsPerRequest,
    folders: folders.map((folder) => ({ ...folder, present: present.of(folder) })),
  });
};

/** Numbers of items, by folder of the snapshot. */
interface CountsByFolder {
  add(item: Pick<PutRecord, "folderId">): void;
  of(folder: Pick<TargetFolder, "sourceId">): number;
}

const countsByFolder = (): CountsByFolder => {
  const counts = new Map<string, number>();
  return {
    add: ({ folderId }) => counts.set(folderId, (counts.get(folderId) ?? 0) + 1),
    of: ({ sourceId }) => counts.get(sourceId) ?? 0,
  };
};

/** A folder that is selected by itself is needed even when it is empty. */
const neededFolders = (
  all: readonly SnapshotFolder[],
  select: Selection,
  inUse: ReadonlySet<string>,
): SnapshotFolder[] => {
  const folders = selectFolders(all, select);
  return "all" in select || "folders" in select ? folders : folders.filter(({ id }) => inUse.has(id));
};

/** Differs between two restores of one minute, so that a retried plan finds its own folder. */
const topName = (restoreId: RunId): string => {
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/.exec(restoreId) ?? [];
  return `Restored ${year}-${month}-${day} ${hour}.${minute} ${restoreId.slice(-6)}`;
};

const addLiveItems = async (
  copies: LiveCopies,
  graph: GraphClient,
  mailbox: MailboxAddress,
  folders: readonly TargetFolder[],
): Promise<void> => {
  for (const liveId of new Set(folders.flatMap(({ liveId }) => liveId ?? [])))
    for await (const item of eachItem(graph, mailbox, liveId)) copies.add(liveId, item);
};

/** Pages of a listing of the target folders once all items are imported: at least one for each folder. */
const pagesOf = (folders: readonly TargetFolder[], live: readonly LiveFolder[], arriving: CountsByFolder): number => {
  const itemCounts = new Map(live.map(({ id, itemCount }) => [id, itemCount]));
  return folders
    .map((folder) => (itemCounts.get(folder.liveId ?? "") ?? 0) + arriving.of(folder))
    .reduce((pages, items) => pages + Math.max(1, Math.ceil(items / PAGE_ITEMS)), 0);
};
