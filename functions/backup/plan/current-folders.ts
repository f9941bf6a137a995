import { allOf } from "../../../shared/bounded.ts";
import { isDeltaStateLost, isOverQuota } from "../../../shared/graph/delta-errors.ts";
import { SEARCH_FOLDER_PROPERTIES } from "../../../shared/graph/extended-properties.ts";
import { type FolderChanges, folderChanges } from "../../../shared/graph/folder-delta.ts";
import { type FolderResource, folderTree, type LiveFolder, listBelow } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { PageProblem, TellProblem } from "../../../shared/graph/read-element.ts";
import type { SnapshotFolders } from "../../../shared/vault/folders.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import type { FolderFacts } from "../../../shared/vault/records.ts";
import { type FolderBook, note, settle } from "./folder-book.ts";
import { findWellKnown } from "./well-known-names.ts";

type LastFolders = Pick<SnapshotFolders, "folders"> & Partial<SnapshotFolders> & Pick<Manifest, "foldersDeltaLink">;

/** A folder of a mailbox now. */
export interface CurrentFolder extends LiveFolder {
  /** Whether this run read `itemCount`; else it is that of the last snapshot, or 0 where none is known. */
  readonly isCounted: boolean;
}

/** The folders of a mailbox now, and the link from which the next run may go on. */
export interface CurrentFolders {
  readonly folders: readonly CurrentFolder[];
  readonly foldersDeltaLink: string | undefined;
  /** Whether they were listed, as there was no delta since the last snapshot. */
  readonly isListed: boolean;
  /** What is odd in the answers that show them, or could not be found out. */
  readonly problems: readonly PageProblem[];
}

/** Called while folders are still being listed, each time with all that are found so far, parents first. */
export type FoldersFound = (folders: readonly LiveFolder[]) => void;

/**
 * The current folders: from a delta since the last snapshot if possible, in one request; else from a full listing and a
 * first round of delta, which together show more than each alone when folders change meanwhile. A folder is there if
 * either shows it, and a folder of the last snapshot is gone only when its own look-up does not find it.
 */
export const currentFolders = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  last: LastFolders | undefined,
  found: FoldersFound = () => undefined,
): Promise<CurrentFolders> => {
  const problems: PageProblem[] = [];
  const tell: TellProblem = (problem) => problems.push(problem);
  const book = bookOf(last);
  const before = new Set(book.facts.keys());

  const link = last?.foldersDeltaLink;
  const changes = link === undefined ? undefined : await roundOf(graph, mailbox, link);
  const foldersDeltaLink =
    changes === undefined
      ? await listAll(graph, mailbox, book, last?.otherFolders ?? [], found, tell)
      : await applyChanges(graph, mailbox, book, changes, tell);
  await findWellKnown(graph, mailbox, book, (id) => !before.has(id), tell);
  const folders = folderTree(book.facts, tell).map((folder) => ({ ...folder, isCounted: book.counted.has(folder.id) }));
  return { folders, foldersDeltaLink, isListed: changes === undefined, problems: [...problems] };
};

const bookOf = (last: LastFolders | undefined): FolderBook => {
  const resource = ({ parentId, isSearch, ...folder }: FolderFacts): FolderResource => ({
    ...folder,
    parentFolderId: parentId,
    ...(isSearch && { singleValueExtendedProperties: [...SEARCH_FOLDER_PROPERTIES] }),
  });
  const facts = new Map<string, FolderResource>();
  for (const folder of last?.otherFolders ?? []) facts.set(folder.id, resource(folder));
  for (const folder of last?.folders ?? [])
    facts.set(folder.id, { ...resource(folder), totalItemCount: folder.itemCount });
  return { facts, counted: new Set(), named: new Set() };
};

/** A delta round; `undefined` when Graph has lost the state of it, or refuses deltas. */
const roundOf = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  link?: string,
): Promise<FolderChanges | undefined> => {
  try {
    return await folderChanges(graph, mailbox, link);
  } catch (error) {
    if (isDeltaStateLost(error) || isOverQuota(error)) return undefined;
    throw error;
  }
};

/** A folder that is new is looked up too: delta need not show all of it, and never tells search folders. */
const applyChanges = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  book: FolderBook,
  { changed, removed, unclear, deltaLink, problems }: FolderChanges,
  tell: TellProblem,
): Promise<string | undefined> => {
  for (const problem of problems) tell(problem);
  const fresh = [...changed.keys()].filter((id) => !book.facts.has(id));
  const doubtful = new Set([...[...removed].filter((id) => book.facts.has(id)), ...fresh, ...unclear]);
  for (const folder of changed.values()) note(book, folder);
  const { isClear } = await settle(graph, mailbox, book, [...doubtful], tell);
  return isClear ? deltaLink : undefined;
};

/**
 * Lists all folders. What only delta shows, what the two show differently, and what neither shows of the last snapshot
 * is looked up. It is not documented whether delta covers nested folders, so its link is returned only where its first
 * round showed every folder, but for those that are not backed up and that no listing shows.
 */
const listAll = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  book: FolderBook,
  lastOthers: readonly FolderFacts[],
  found: FoldersFound,
  tell: TellProblem,
): Promise<string | undefined> => {
  const soFar = (shown: ReadonlyMap<string, FolderResource>): void => {
    const folders = folderTree(shown);
    // Without names, it is not known yet which folders are backed up.
    if (folders.some(({ wellKnownName }) => wellKnownName !== undefined)) found(folders);
  };
  const [{ shown, vanished }, round] = await allOf([
    listBelow(graph, mailbox, [undefined], tell, soFar),
    roundOf(graph, mailbox),
  ]);
  for (const problem of round?.problems ?? []) tell(problem);
  const changed = round?.changed ?? new Map<string, FolderResource>();
  const doubtful = new Set([
    ...vanished,
    ...[...book.facts.keys(), ...changed.keys()].filter((id) => !shown.has(id)),
    ...[...(round?.removed ?? []), ...(round?.unclear ?? [])].filter((id) => shown.has(id)),
    ...[...shown.values()].filter((folder) => differs(folder, changed.get(folder.id))).map(({ id }) => id),
  ]);
  for (const folder of changed.values()) note(book, folder);
  for (const folder of shown.values()) note(book, folder);

  const { there, isClear } = await settle(graph, mailbox, book, [...doubtful], tell);
  const unlisted = there.filter(({ id, childFolderCount }) => childFolderCount !== 0 && !shown.has(id));
  const below = await listBelow(
    graph,
    mailbox,
    unlisted.map(({ id }) => id),
    tell,
  );
  for (const folder of below.shown.values()) note(book, folder);
  const unseen = new Set(lastOthers.map(({ id }) => id).filter((id) => !shown.has(id)));
  const isWhole = isClear && [...book.facts.keys()].every((id) => changed.has(id) || unseen.has(id));
  return isWhole ? round?.deltaLink : undefined;
};

/** Whether a delta shows another name or place of a folder than its listing. */
const differs = (listed: FolderResource, changed: FolderResource | undefined): boolean =>
  (changed?.displayName !== undefined && changed.displayName !== listed.displayName) ||
  (Boolean(changed?.parentFolderId) && changed?.parentFolderId !== listed.parentFolderId);
