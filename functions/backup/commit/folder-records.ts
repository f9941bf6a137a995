import { folderRecord, otherFolderRecord } from "../../../shared/vault/folders.ts";
import type { FolderRecord } from "../../../shared/vault/records.ts";
import type { FoldedFindings } from "../run-outcome.ts";
import type { RunFolder, RunFolders } from "../run-state.ts";

/** How the folders of a run differ from those of the last snapshot. */
export interface FolderChanges {
  /** The records that a snapshot of the run needs. */
  readonly records: readonly FolderRecord[];
  /** Those of them that say no more than where the next run goes on: they alone make no snapshot. */
  readonly linksOnly: boolean;
}

/**
 * The folders of which the last snapshot does not say what a snapshot of this run must: those that are new, changed or
 * gone; those of which items changed, with their new deltaLink; and those with another deltaLink for another reason, or
 * without one, as they could not be read whole. In a folder without changes, and in one that the run did not finish,
 * the old deltaLink goes on counting, as everything since then is still to come.
 */
export const folderChanges = (
  { folders, changed, relinked, outside, removed }: RunFolders,
  {
    deltaLinks,
    listed,
    failed,
    unfinished,
  }: Pick<FoldedFindings, "deltaLinks" | "listed" | "failed"> & { readonly unfinished: ReadonlySet<string> },
  withChanges: ReadonlySet<string>,
): FolderChanges => {
  const told = new Set([...changed, ...withChanges]);
  const anew = new Set([...withChanges, ...listed, ...failed]);
  const linked = new Set([...relinked, ...anew]);
  const recordOf = ({ deltaLink: before, ...folder }: RunFolder): FolderRecord => {
    const isEnded = anew.has(folder.id) && !unfinished.has(folder.id);
    const deltaLink = isEnded ? deltaLinks.get(folder.id) : before;
    return folderRecord({ ...folder, ...(deltaLink === undefined ? {} : { deltaLink }) });
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
