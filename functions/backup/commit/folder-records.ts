import { folderRecord, otherFolderRecord } from "../../../shared/vault/folders.ts";
import type { FolderRecord } from "../../../shared/vault/records.ts";
import type { RunOutcome } from "../run-outcome.ts";
import { agreedItems, type ComparedFolder, type RunFolder, type RunFolders } from "../run-state.ts";

/** How the folders of a run differ from those of the last snapshot. */
export interface FolderChanges {
  /** The records that a snapshot of the run needs. */
  readonly records: readonly FolderRecord[];
  /** Those of them that say no more than where the next run goes on: they alone make no snapshot. */
  readonly linksOnly: boolean;
}

/**
 * The folders of which the last snapshot does not say what a snapshot of this run must: those that are new, changed or
 * gone; those of which items changed, with their new deltaLink; those of which Graph has another number; and those with
 * another deltaLink for another reason, or without one, as they could not be read whole. In a folder without changes,
 * and in one that the run did not finish, the old deltaLink goes on counting, as everything since then is still to
 * come.
 */
export const folderChanges = (
  { folders, changed, relinked, outside, removed }: RunFolders,
  {
    deltaLinks,
    listed,
    failed,
    compared,
    unfinished,
  }: Pick<RunOutcome, "deltaLinks" | "listed" | "failed" | "compared"> & { readonly unfinished: ReadonlySet<string> },
  withChanges: ReadonlySet<string>,
): FolderChanges => {
  const told = new Set([...changed, ...withChanges, ...recounted(folders, compared)]);
  const anew = new Set([...withChanges, ...listed, ...failed]);
  const linked = new Set([...relinked, ...anew]);
  const recordOf = ({ deltaLink: before, ...folder }: RunFolder): FolderRecord => {
    const {
      itemCount = folder.itemCount,
      heldItems,
      problem,
    } = compared.get(folder.id) ?? asBefore(folder, withChanges);
    const isEnded = anew.has(folder.id) && !unfinished.has(folder.id);
    const deltaLink = isEnded ? deltaLinks.get(folder.id) : before;
    return folderRecord({
      ...folder,
      itemCount,
      heldItems,
      // The next run has to list a folder whose number differs.
      ...(deltaLink === undefined || problem !== undefined ? {} : { deltaLink }),
    });
  };
  return {
    records: [
      ...folders.filter(({ id }) => told.has(id) || linked.has(id)).map(recordOf),
      ...outside.map(otherFolderRecord),
      ...removed.map((id): FolderRecord => ({ v: 1, op: "folder", id, removed: true })),
    ],
    linksOnly: told.size + outside.length + removed.length === 0,
  };
};

/** A folder that was not compared, and in which nothing has changed, agrees as it did before. */
const asBefore = (folder: RunFolder, withChanges: ReadonlySet<string>): Partial<ComparedFolder> =>
  withChanges.has(folder.id) ? {} : { heldItems: agreedItems(folder) };

/** The folders of which Graph's number, or whether it agrees, is not as the last snapshot has it. */
const recounted = (folders: readonly RunFolder[], compared: RunOutcome["compared"]): string[] =>
  folders.flatMap(({ id, itemCount, itemCountBefore, heldItems, deltaLink }) => {
    const now = compared.get(id);
    if (now?.problem !== undefined) return deltaLink === undefined ? [] : [id];
    // A number that was not compared is not told again by the next delta of folders.
    if (now?.itemCount === undefined) return itemCount === (itemCountBefore ?? 0) ? [] : [id];
    return now.itemCount === itemCountBefore && now.heldItems === heldItems ? [] : [id];
  });
