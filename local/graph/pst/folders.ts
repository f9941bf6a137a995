import type { PSTFile } from "pst-extractor";
import type { SeedFolder } from "../seed.ts";
import { nodeOf, rowIdsOf } from "./node.ts";
import { type Values, valuesOf } from "./values.ts";

/** A folder with the node ids of its items, in the file's order. */
export interface OutlookFolder {
  readonly seed: SeedFolder;
  readonly itemIds: readonly number[];
}

/** Fixed and derived node ids. Source: [MS-PST] 2.2.2.1 NID and 2.4.1 Special Internal NIDs. */
const NID = { store: 0x21, root: 0x122, folderType: 0x02, hierarchyTable: 0x0d, contentsTable: 0x0e };
const NID_TYPE_MASK = 0x1f;

/** Source: [MS-OXPROPS]. */
const PID = { displayName: 0x3001, containerClass: 0x3613, subtree: 0x35e0, deletedItems: 0x35e3 };

/** Source: [MS-PST] 2.4.3.2: four bytes of flags, 16 of the store's key, then the node id. */
const ENTRY_ID_NODE_AT = 20;

/** What Outlook calls its folders in English, and what Graph does. Other languages keep only what the store names. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  inbox: "inbox",
  drafts: "drafts",
  outbox: "outbox",
  "sent items": "sentitems",
  "deleted items": "deleteditems",
  "junk e-mail": "junkemail",
  "junk email": "junkemail",
  archive: "archive",
  calendar: "calendar",
  contacts: "contacts",
  tasks: "tasks",
  notes: "notes",
  journal: "journal",
  "conversation history": "conversationhistory",
};

/**
 * Every folder of the file, parents first. The top of the user's folders is itself a folder only when it holds items,
 * for in a mailbox it is the root. Folders beside it are hidden. Search folders hold no items and are left out.
 */
export const readFolders = (file: PSTFile): OutlookFolder[] => {
  const store = storeOf(file);
  const subtreeId = nodeIdOf(store.bytes(PID.subtree)) ?? NID.root;
  const deletedItemsId = nodeIdOf(store.bytes(PID.deletedItems));

  const read = (id: number, hidden: boolean, parentId?: number): OutlookFolder => {
    const values = valuesOf(nodeOf(file, id));
    const itemIds = rowIds(file, id, NID.contentsTable);
    const displayName = values.text(PID.displayName) ?? "";
    const guess = parentId === undefined && !hidden ? WELL_KNOWN[displayName.toLowerCase()] : undefined;
    const wellKnownName = id === deletedItemsId ? "deleteditems" : guess;
    const seed: SeedFolder = {
      key: keyOf(id),
      ...(parentId === undefined ? {} : { parentKey: keyOf(parentId) }),
      displayName,
      type: values.text(PID.containerClass) ?? "IPF.Note",
      ...(wellKnownName === undefined ? {} : { wellKnownName }),
      ...(hidden ? { hidden } : {}),
      itemCount: itemIds.length,
    };
    return { seed, itemIds };
  };

  const withDescendants = (id: number, hidden: boolean, parentId?: number): OutlookFolder[] => [
    read(id, hidden, parentId),
    ...subfolderIds(file, id).flatMap((child) => withDescendants(child, hidden, id)),
  ];

  const tops = [...new Set([subtreeId, NID.root])].map((id) => read(id, false));
  const beside = subtreeId === NID.root ? [] : subfolderIds(file, NID.root).filter((id) => id !== subtreeId);
  return [
    ...tops.filter(({ itemIds }) => itemIds.length > 0),
    ...subfolderIds(file, subtreeId).flatMap((id) => withDescendants(id, false)),
    ...beside.flatMap((id) => withDescendants(id, true)),
  ];
};

export const storeOf = (file: PSTFile): Values => valuesOf(nodeOf(file, NID.store));

const keyOf = (id: number): string => `folder-${id.toString(16)}`;

const nodeIdOf = (entryId: Buffer | undefined): number | undefined => entryId?.readUInt32LE(ENTRY_ID_NODE_AT);

/** A folder's tables have its node id, with another type. */
const rowIds = (file: PSTFile, folderId: number, tableType: number): number[] =>
  rowIdsOf(file, folderId - (folderId & NID_TYPE_MASK) + tableType);

const subfolderIds = (file: PSTFile, id: number): number[] =>
  rowIds(file, id, NID.hierarchyTable).filter((child) => (child & NID_TYPE_MASK) === NID.folderType);
