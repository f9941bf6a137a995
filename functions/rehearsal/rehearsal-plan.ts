import { randomBytes } from "node:crypto";
import type { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import { bodyBytes } from "../../shared/graph/import-item.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import type { PutRecord } from "../../shared/vault/records.ts";
import { TOP_FOLDER_ID } from "../restore/plan/target-folders.ts";
import { keepRestoreChunk, keepRestorePlan, type TargetFolder } from "../restore/restore-state.ts";
import type { MailboxSample } from "./rehearsal-sample.ts";

/** Folders of different mailboxes may have the same id. */
const qualifiedId = (mailbox: MailboxKey, folderId: string): string => `${mailbox} ${folderId}`;

/** The mailbox that an item of a rehearsal's plan comes from. */
export const sourceMailbox = ({ folderId }: Pick<PutRecord, "folderId">): MailboxKey =>
  folderId.slice(0, folderId.indexOf(" "));

/**
 * Writes a sample as the plan of a restore into a folder of its own. Below that folder is one for each source folder,
 * of its type. It has a number for a name, as a source folder's name may be personal. One chunk is enough for a sample.
 *
 * Run twice, the plan that is finished first stands.
 */
export const keepRehearsalPlan = async (
  work: Blobs,
  rehearsalId: RunId,
  folderName: string,
  samples: readonly MailboxSample[],
): Promise<void> => {
  const items = samples.flatMap(({ mailbox, items }) =>
    items.map((item) => ({ ...item, folderId: qualifiedId(mailbox, item.folderId) })),
  );
  const folders = [{ sourceId: TOP_FOLDER_ID, displayName: folderName, type: "IPF.Note" }, ...foldersOf(samples)];
  const generation = randomBytes(6).toString("hex");
  if (items.length > 0) await keepRestoreChunk(work, rehearsalId, generation, 0, items);
  await keepRestorePlan(work, rehearsalId, {
    generation,
    started: new Date().toISOString(),
    items: items.length,
    present: 0,
    replaced: 0,
    bytes: items.reduce((sum, { rawBytes }) => sum + rawBytes, 0),
    bodyBytes: items.reduce((sum, item) => sum + bodyBytes(item), 0),
    pages: folders.length,
    chunks: items.length > 0 ? 1 : 0,
    folders,
  });
};

const foldersOf = (samples: readonly MailboxSample[]): TargetFolder[] => {
  const folders = new Map<string, TargetFolder>();
  for (const { mailbox, items, folders: all } of samples)
    for (const { folderId } of items) {
      const sourceId = qualifiedId(mailbox, folderId);
      const type = all.find(({ id }) => id === folderId)?.type ?? "IPF.Note";
      const displayName = folders.get(sourceId)?.displayName ?? String(folders.size + 1);
      folders.set(sourceId, { sourceId, displayName, type, parentSourceId: TOP_FOLDER_ID });
    }
  return [...folders.values()];
};
