import type { RunId } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import type { LiveFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { readFolders } from "../../../shared/vault/folders.ts";
import { manifestName } from "../../../shared/vault/names.ts";
import { FolderFacts, type SnapshotFolder } from "../../../shared/vault/records.ts";
import { readManifest } from "../../../shared/vault/snapshots.ts";
import { readKeptLinks } from "../kept-links.ts";
import { leftOutItems } from "../left-out-items.ts";
import {
  findRunFolders,
  keepRunFolders,
  type PlannedItem,
  type RunFolder,
  type RunFolders,
  type RunState,
} from "../run-state.ts";
import { currentFolders } from "./current-folders.ts";
import { damagedItems } from "./damaged-items.ts";
import { type FolderScope, foldersInScope } from "./folder-scope.ts";
import type { FirstPages } from "./item-pages.ts";

/** What the run's folders are found with. */
export interface RunFoldersDeps {
  readonly graph: GraphClient;
  readonly firstPages: Pick<FirstPages, "offer">;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state: Blobs;
  readonly folderScope?: FolderScope | undefined;
}

/**
 * The folders of a run: those that were found first, even if the mailbox has changed since, and how they differ from
 * those of the last snapshot. Finding all folders takes a request for each level of them; meanwhile, the first pages of
 * folders that are already found are requested.
 */
export const runFolders = async (
  { graph, firstPages, vault, work, state, folderScope }: RunFoldersDeps,
  { mailbox, runId }: { readonly mailbox: MailboxRef; readonly runId: RunId },
  { parent, full, damagedPacks = [] }: Pick<RunState, "parent" | "full" | "damagedPacks">,
): Promise<RunFolders> => {
  const found = await findRunFolders(work, runId);
  if (found !== undefined) return found;

  const last = parent === null ? undefined : await lastSnapshot({ vault, state }, mailbox, parent);
  const leftOut = last === undefined ? [] : await leftOutItems(vault, last.manifest);
  const damaged = last === undefined ? [] : await damagedItems(vault, last.manifest, damagedPacks);
  const lost = leftOut.filter(({ end }) => end === "lost");
  const retry = [...leftOut.filter(({ end }) => end !== "lost"), ...damaged];
  const inRun = (folders: readonly LiveFolder[]) =>
    toRunFolders(foldersInScope(folders, folderScope), last?.folders ?? [], { retry, lost }, full);
  const { foldersDeltaLink: _, ...withoutLink } = last ?? { folders: [] };
  const before = full ? withoutLink : last;
  const { folders, foldersDeltaLink, isListed, problems } = await currentFolders(graph, mailbox, before, (soFar) =>
    firstPages.offer(inRun(soFar)),
  );

  const taken = inRun(folders);
  const ids = new Set(idsOf(taken));
  const others = folders.filter(({ id }) => !ids.has(id)).map((folder) => FolderFacts.parse(folder));
  const told = new Map(last?.told.map((folder) => [folder.id, folder]));
  const toldOutside = new Map(last?.otherFolders.map((folder) => [folder.id, folder]));
  const there = new Set(idsOf(folders));
  return keepRunFolders(work, runId, {
    folders: taken,
    ...(foldersDeltaLink === undefined ? {} : { foldersDeltaLink }),
    isListed,
    changed: idsOf(taken.filter((folder) => !sameFolder(folder, told.get(folder.id)))),
    relinked: idsOf(taken.filter(({ id, deltaLink }) => deltaLink !== told.get(id)?.deltaLink)),
    outside: others.filter((folder) => !sameFolder(folder, toldOutside.get(folder.id))),
    removed: idsOf([...told.values(), ...toldOutside.values()].filter(({ id }) => !there.has(id))),
    problems: problems.map(({ id, what }) => ({ what, ...(id === undefined ? {} : { folderId: id }) })),
  });
};

const idsOf = (folders: readonly { readonly id: string }[]): string[] => folders.map(({ id }) => id);

/** The snapshot that the run follows; its folders as it has them (`told`), and with links that were kept since. */
const lastSnapshot = async (
  { vault, state }: Pick<RunFoldersDeps, "vault" | "state">,
  { key }: MailboxRef,
  { id, sha256 }: NonNullable<RunState["parent"]>,
) => {
  const found = await readManifest(vault, key, id);
  if (found?.sha256 !== sha256)
    throw new VaultDamageError("is no longer the manifest that the run follows", { blob: manifestName(key, id) });
  const { manifest } = found;
  const { folders: told, otherFolders } = await readFolders(vault, key, id);
  const kept = await readKeptLinks(state, key, id);
  const links = new Map(kept?.folders.map((folder) => [folder.id, folder.deltaLink]));
  const folders = told.map((folder) => {
    const { deltaLink: _, ...rest } = folder;
    return links.has(folder.id) ? { ...rest, ...withLink(links.get(folder.id)) } : folder;
  });
  const foldersDeltaLink = kept?.foldersDeltaLink ?? manifest.foldersDeltaLink;
  return { manifest, told, folders, otherFolders, foldersDeltaLink };
};

const withLink = (deltaLink: string | undefined) => (deltaLink === undefined ? {} : { deltaLink });

const toRunFolders = (
  folders: readonly LiveFolder[],
  lastFolders: readonly SnapshotFolder[],
  { retry, lost }: { readonly retry: readonly PlannedItem[]; readonly lost: readonly PlannedItem[] },
  full: boolean,
): RunFolder[] => {
  const before = new Map(lastFolders.map((folder) => [folder.id, folder]));
  return folders.map((folder) => {
    const last = before.get(folder.id);
    return {
      ...folder,
      known: last !== undefined,
      ...(last === undefined ? {} : { itemCountBefore: last.itemCount, heldItems: last.heldItems }),
      retry: retry.filter(({ folderId }) => folderId === folder.id),
      lost: lost.filter(({ folderId }) => folderId === folder.id),
      ...withLink(full ? undefined : last?.deltaLink),
    };
  });
};

const sameFolder = (a: FolderFacts, b: FolderFacts | undefined): boolean =>
  b !== undefined &&
  a.displayName === b.displayName &&
  a.parentId === b.parentId &&
  a.path === b.path &&
  a.type === b.type &&
  a.wellKnownName === b.wellKnownName &&
  a.isSearch === b.isSearch;
