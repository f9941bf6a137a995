import { allOf } from "../../../shared/bounded.ts";
import { isDeltaStateLost, isOverQuota } from "../../../shared/graph/delta-errors.ts";
import { type FolderChanges, folderChanges } from "../../../shared/graph/folder-delta.ts";
import { type FolderResource, folderTree, type LiveFolder, listFolders } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { PageProblem } from "../../../shared/graph/read-element.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import type { FolderFacts } from "../../../shared/vault/records.ts";

type LastFolders = Pick<Manifest, "folders" | "foldersDeltaLink" | "otherFolders">;

/** The folders of a mailbox now, and the link from which the next run may go on. */
export interface CurrentFolders {
  readonly folders: readonly LiveFolder[];
  readonly foldersDeltaLink: string | undefined;
  /** What is odd in the answers that show them. */
  readonly problems: readonly PageProblem[];
}

/** Called while folders are still being listed, each time with all that are found so far, parents first. */
export type FoldersFound = (folders: readonly LiveFolder[]) => void;

/** The current folders: from a delta since the last snapshot if possible, in one request; else from a full listing. */
export const currentFolders = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  last: LastFolders | undefined,
  found: FoldersFound = () => undefined,
): Promise<CurrentFolders> => {
  if (last?.foldersDeltaLink === undefined) return listAll(graph, mailbox, found);
  try {
    const changes = await folderChanges(graph, mailbox, last.foldersDeltaLink);
    const problems = [...changes.problems];
    const folders = folderTree(apply(last, changes), (problem) => problems.push(problem));
    return { folders, foldersDeltaLink: changes.deltaLink, problems };
  } catch (error) {
    if (!isDeltaStateLost(error) && !isOverQuota(error)) throw error;
    return listAll(graph, mailbox, found);
  }
};

/**
 * It is not documented whether a delta over a mailbox's folders covers nested ones. So its link is returned only if its
 * first round showed every folder that the listing found.
 */
const listAll = async (graph: GraphClient, mailbox: MailboxAddress, found: FoldersFound): Promise<CurrentFolders> => {
  const problems: PageProblem[] = [];
  const listed = listFolders(graph, mailbox, found, (problem) => problems.push(problem));
  const [folders, round] = await allOf([listed, firstRound(graph, mailbox)]);
  const all = [...problems, ...(round?.problems ?? [])];
  const isWhole = round !== undefined && folders.every(({ id }) => round.changed.has(id));
  return { folders, foldersDeltaLink: isWhole ? round.deltaLink : undefined, problems: all };
};

const firstRound = async (graph: GraphClient, mailbox: MailboxAddress): Promise<FolderChanges | undefined> => {
  try {
    return await folderChanges(graph, mailbox);
  } catch (error) {
    if (isDeltaStateLost(error) || isOverQuota(error)) return undefined;
    throw error;
  }
};

const apply = (last: LastFolders, { changed, removed }: FolderChanges): Map<string, FolderResource> => {
  const resource = ({ parentId, ...folder }: FolderFacts): FolderResource => ({ ...folder, parentFolderId: parentId });
  const folders = new Map<string, FolderResource>();
  for (const folder of last.otherFolders ?? []) folders.set(folder.id, resource(folder));
  for (const folder of last.folders) folders.set(folder.id, { ...resource(folder), totalItemCount: folder.itemCount });
  for (const id of removed) folders.delete(id);
  for (const [id, folder] of changed) folders.set(id, { ...folders.get(id), ...folder });
  return folders;
};
