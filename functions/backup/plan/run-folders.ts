import type { RunId } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import type { LiveFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import { manifestName, partName } from "../../../shared/vault/names.ts";
import { refPart } from "../../../shared/vault/part-reader.ts";
import { writePart } from "../../../shared/vault/part-writer.ts";
import { type CatalogueRecord, FolderFacts } from "../../../shared/vault/records.ts";
import { readManifest } from "../../../shared/vault/snapshots.ts";
import { openItems } from "../open-items.ts";
import {
  findRunFolders,
  keepRunFolders,
  type PlannedItem,
  type RunFolder,
  type RunFolders,
  type RunState,
} from "../run-state.ts";
import { currentFolders } from "./current-folders.ts";
import { type FolderScope, foldersInScope } from "./folder-scope.ts";
import type { ItemPages } from "./item-pages.ts";

/** What the run's folders are found with. */
export interface RunFoldersDeps {
  readonly graph: GraphClient;
  readonly pages: Pick<ItemPages, "offer" | "lookAhead">;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly folderScope?: FolderScope | undefined;
}

/**
 * The folders of a run: those that were found first, even if the mailbox has changed since. The records of folders that
 * changed since the last snapshot become the run's first part. Finding all folders takes a request for each level of
 * them; meanwhile, the first pages of folders that are already found are requested.
 */
export const runFolders = async (
  { graph, pages, vault, work, folderScope }: RunFoldersDeps,
  { mailbox, runId }: { readonly mailbox: MailboxRef; readonly runId: RunId },
  { parent, full }: Pick<RunState, "parent" | "full">,
): Promise<RunFolders> => {
  const found = await findRunFolders(work, runId);
  const part = partName(mailbox.key, runId, "folders");
  // A crash may have come between the folders and their part.
  if (found !== undefined && (found.changed === 0 || (await refPart(vault, part)) !== undefined)) return found;

  const last = parent === null ? undefined : await pinnedManifest(vault, mailbox, parent);
  const kept = found ?? (await findFolders({ graph, pages, vault, work, folderScope }, { mailbox, runId }, last, full));
  const records = folderRecords(kept.folders, last?.folders ?? []);
  if (records.length > 0) await writePart(vault, part, records);
  return kept;
};

const findFolders = async (
  { graph, pages, vault, work, folderScope }: RunFoldersDeps,
  { mailbox, runId }: { readonly mailbox: MailboxRef; readonly runId: RunId },
  last: Manifest | undefined,
  full: boolean,
): Promise<RunFolders> => {
  const failed = last === undefined ? [] : await openItems(vault, last);
  const inRun = (folders: readonly LiveFolder[]) =>
    toRunFolders(foldersInScope(folders, folderScope), last?.folders ?? [], failed, full);
  const { foldersDeltaLink: _, ...withoutLink } = last ?? { folders: [] };
  const before = full ? withoutLink : last;
  const { folders, foldersDeltaLink, problems } = await currentFolders(graph, mailbox, before, (soFar) => {
    pages.offer(inRun(soFar));
    while (pages.lookAhead() !== undefined);
  });

  const taken = inRun(folders);
  const ids = new Set(taken.map(({ id }) => id));
  return keepRunFolders(work, runId, {
    folders: taken,
    changed: folderRecords(taken, last?.folders ?? []).length,
    ...(foldersDeltaLink === undefined ? {} : { foldersDeltaLink }),
    otherFolders: folders.filter(({ id }) => !ids.has(id)).map((folder) => FolderFacts.parse(folder)),
    problems: problems.map(({ id, what }) => ({ what, ...(id === undefined ? {} : { folderId: id }) })),
  });
};

const pinnedManifest = async (
  vault: Blobs,
  { key }: MailboxRef,
  { id, sha256 }: NonNullable<RunState["parent"]>,
): Promise<Manifest> => {
  const found = await readManifest(vault, key, id);
  if (found?.sha256 === sha256) return found.manifest;
  throw new VaultDamageError("is no longer the manifest that the run follows", { blob: manifestName(key, id) });
};

const toRunFolders = (
  folders: readonly LiveFolder[],
  lastFolders: Manifest["folders"],
  failed: readonly PlannedItem[],
  full: boolean,
): RunFolder[] => {
  const before = new Map(lastFolders.map((folder) => [folder.id, folder]));
  return folders.map((folder) => {
    const last = before.get(folder.id);
    return {
      ...folder,
      known: last !== undefined,
      retry: failed.filter(({ folderId }) => folderId === folder.id),
      ...(last?.deltaLink === undefined || full ? {} : { deltaLink: last.deltaLink }),
    };
  });
};

/** Records of the folders that are new, changed or removed. */
const folderRecords = (now: readonly RunFolder[], before: readonly FolderFacts[]): CatalogueRecord[] => {
  const then = new Map(before.map((folder) => [folder.id, folder]));
  const ids = new Set(now.map(({ id }) => id));
  return [
    ...now
      .filter((folder) => !sameFolder(folder, then.get(folder.id)))
      .map((folder) => ({ v: 1 as const, op: "folder" as const, ...FolderFacts.parse(folder) })),
    ...before
      .filter(({ id }) => !ids.has(id))
      .map(({ id }) => ({ v: 1 as const, op: "folder" as const, id, removed: true as const })),
  ];
};

const sameFolder = (a: FolderFacts, b: FolderFacts | undefined): boolean =>
  b !== undefined &&
  a.displayName === b.displayName &&
  a.parentId === b.parentId &&
  a.path === b.path &&
  a.type === b.type &&
  a.wellKnownName === b.wellKnownName;
