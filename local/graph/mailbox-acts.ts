import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { HostedMailbox } from "./mailboxes.ts";
import type { FolderState } from "./state/folder-state.ts";
import type { ItemRecord } from "./state/records.ts";

/** Folders are named by id, key or well-known name. */
export const NewFolder = z.strictObject({
  parent: z.string().optional(),
  displayName: z.string().min(1),
  type: z.string().default("IPF.Note"),
  /** For folders that no generated mailbox has, such as `searchfolders` or `recoverableitemsdeletions`. */
  wellKnownName: z.string().optional(),
  hidden: z.boolean().optional(),
  search: z.boolean().optional(),
});

export const FolderChange = z.strictObject({
  folder: z.string(),
  displayName: z.string().optional(),
  parent: z.string().optional(),
});

export const FolderRemoval = z.strictObject({ folder: z.string() });

/** An item is named by its id. */
export const ItemRemoval = z.strictObject({ item: z.string() });

/** What may happen to a mailbox while it is asked. */
export const MailboxAct = z.union([
  NewFolder.extend({ act: z.literal("create") }),
  FolderChange.extend({ act: z.literal("change") }),
  FolderRemoval.extend({ act: z.literal("remove") }),
  ItemRemoval.extend({ act: z.literal("remove-item") }),
]);
export type MailboxAct = z.infer<typeof MailboxAct>;

/** A folder by id, key or well-known name. */
export const folderIn = ({ state }: HostedMailbox, name: string): FolderState => {
  const named = [...state.folders.values()].find((folder) => folder.wellKnownName === name);
  const folder = state.folders.get(name) ?? named ?? state.folderById(name);
  if (folder === undefined) throw new RangeError(`There is no folder ${name}`);
  return folder;
};

/** Creates a folder, and returns its id. */
export const createFolder = (
  target: HostedMailbox,
  at: number,
  { parent, displayName, type, wellKnownName, hidden, search }: z.output<typeof NewFolder>,
): string => {
  const parentKey = parent === undefined ? undefined : folderIn(target, parent).key;
  const key = `new-${randomUUID()}`;
  target.state.commit({
    op: "folder",
    at,
    key,
    displayName,
    type,
    ...(parentKey !== undefined && { parentKey }),
    ...(wellKnownName !== undefined && { wellKnownName }),
    ...(hidden !== undefined && { hidden }),
    ...(search !== undefined && { search }),
  });
  return target.state.ids.folder(folderIn(target, key).tag);
};

/** Renames or moves a folder. */
export const changeFolder = (
  target: HostedMailbox,
  at: number,
  { folder, displayName, parent }: z.output<typeof FolderChange>,
): void => {
  const { key, type, ...current } = folderIn(target, folder);
  const parentKey = parent === undefined ? current.parentKey : folderIn(target, parent).key;
  target.state.commit({
    op: "folder",
    at,
    key,
    type,
    displayName: displayName ?? current.displayName,
    ...(parentKey !== undefined && { parentKey }),
  });
};

export const removeFolder = (target: HostedMailbox, at: number, { folder }: z.output<typeof FolderRemoval>): void =>
  target.state.commit({ op: "folder-gone", at, key: folderIn(target, folder).key });

/** An item by its id. */
export const itemIn = ({ state }: HostedMailbox, id: string): ItemRecord => {
  const item = state.itemById(id);
  if (item === undefined) throw new RangeError(`There is no item ${id}`);
  return item;
};

export const removeItem = (target: HostedMailbox, at: number, { item }: z.output<typeof ItemRemoval>): void => {
  const { home, index } = itemIn(target, item);
  target.state.commit({ op: "item-gone", at, home, index, reason: "deleted" });
};

/** Does what a fault rule says; an act that does not fit the mailbox any more does nothing. */
export const applyMailboxAct = (target: HostedMailbox, at: number, act: MailboxAct): void => {
  try {
    if (act.act === "create") createFolder(target, at, act);
    else if (act.act === "change") changeFolder(target, at, act);
    else if (act.act === "remove-item") removeItem(target, at, act);
    else removeFolder(target, at, act);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
};
