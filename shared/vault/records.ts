import * as z from "zod";
import { PackName } from "./names.ts";

const Count = z.int().nonnegative();

/** A SHA-256 in lower-case hexadecimal. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 is 64 lower-case hexadecimal digits");
export type Sha256 = z.infer<typeof Sha256>;

/**
 * The properties of an item in a listing. What Graph did not tell is absent, and the change key empty. Ids are opaque
 * and case-sensitive. `sizeBytes` is Exchange's own figure, which may be far below the exported size. `searchKey` is
 * base64 of PR_SEARCH_KEY, which copies of an item share.
 */
export const ItemFacts = z.object({
  id: z.string().min(1),
  changeKey: z.string(),
  folderId: z.string().min(1),
  type: z.string().optional(),
  sizeBytes: Count.optional(),
  created: z.iso.datetime({ offset: true }).optional(),
  modified: z.iso.datetime({ offset: true }).optional(),
  categories: z.array(z.string()).optional(),
  subject: z.string().optional(),
  from: z.string().optional(),
  received: z.iso.datetime({ offset: true }).optional(),
  internetMessageId: z.string().optional(),
  hasAttachments: z.boolean().optional(),
  searchKey: z.string().optional(),
});
export type ItemFacts = z.infer<typeof ItemFacts>;

/**
 * Where an item's stream is stored: `storedBytes` from `offset` on in `pack`, plain or as one raw deflate stream. An
 * item whose bytes an earlier run had stored refers to them; `recordedIn` is then the pack whose index has its record.
 */
export const StoredItem = z.object({
  pack: PackName,
  offset: Count,
  storedBytes: Count,
  method: z.enum(["store", "deflate"]),
  rawBytes: Count,
  sha256: Sha256,
  recordedIn: PackName.optional(),
});
export type StoredItem = z.infer<typeof StoredItem>;

export const FolderFacts = z.object({
  id: z.string().min(1),
  displayName: z.string(),
  parentId: z.string().optional(),
  path: z.string(),
  type: z.string(),
  wellKnownName: z.string().optional(),
  /** What is in it are links to items of other folders. */
  isSearch: z.literal(true).optional(),
});
export type FolderFacts = z.infer<typeof FolderFacts>;

/**
 * A folder of a snapshot. The next run goes on from `deltaLink`. `itemCount` is Exchange's own figure, and `heldItems`
 * how many items the snapshot had when the two were found to agree; absent where they were not compared, or did not.
 */
export const SnapshotFolder = z.object({
  ...FolderFacts.shape,
  itemCount: Count,
  heldItems: Count.optional(),
  deltaLink: z.string().optional(),
});
export type SnapshotFolder = z.infer<typeof SnapshotFolder>;

export const PutRecord = z.object({ v: z.literal(1), op: z.literal("put"), ...ItemFacts.shape, ...StoredItem.shape });
export type PutRecord = z.infer<typeof PutRecord>;

/** The item was removed from this folder: deleted, or moved (another folder then has a put of it). */
const RemoveRecord = z.object({
  v: z.literal(1),
  op: z.literal("remove"),
  id: z.string().min(1),
  folderId: z.string().min(1),
  reason: z.string().min(1),
});

/**
 * A folder as it now is, or that it was removed with its items. `outside`: it is there, and is not backed up; items
 * that it had before are no longer in the snapshot. Records of version 1 have the facts alone.
 */
const FolderRecord = z.union([
  z.object({ v: z.literal(1), op: z.literal("folder"), id: z.string().min(1), removed: z.literal(true) }),
  z.object({
    v: z.literal(1),
    op: z.literal("folder"),
    ...SnapshotFolder.partial({ itemCount: true }).shape,
    outside: z.literal(true).optional(),
  }),
]);
export type FolderRecord = z.infer<typeof FolderRecord>;

/** Why an item was left out. `since` is when that was seen first, by whichever run. */
const LeftOutItem = z.object({
  reason: z.string().min(1),
  code: z.string(),
  requestId: z.string().optional(),
  since: z.iso.datetime().optional(),
});

/**
 * Left out for a known permanent reason. An older version of the item, if there is one, stays live. The next run tries
 * the item again from a record with `again`.
 */
const SkipRecord = z.object({
  v: z.literal(1),
  op: z.literal("skip"),
  ...ItemFacts.partial({ changeKey: true }).shape,
  ...LeftOutItem.shape,
  again: z.literal(true).optional(),
});

/**
 * Left out for a reason that is unknown or may pass: the snapshot is partial, and the next run tries the item again
 * from this record.
 */
export const FailRecord = z.object({
  v: z.literal(1),
  op: z.literal("fail"),
  ...ItemFacts.shape,
  ...LeftOutItem.shape,
});
export type FailRecord = z.infer<typeof FailRecord>;

/** Something odd or unclear that a run met, of which no other record of its snapshot tells. No value is named. */
export const Problem = z.object({
  what: z.string().min(1),
  itemId: z.string().min(1).optional(),
  folderId: z.string().min(1).optional(),
  /** When a run met it first. */
  since: z.iso.datetime().optional(),
});
export type Problem = z.infer<typeof Problem>;

const ProblemRecord = z.object({ v: z.literal(1), op: z.literal("problem"), ...Problem.shape });

export const CatalogueRecord = z.union([PutRecord, RemoveRecord, FolderRecord, SkipRecord, FailRecord, ProblemRecord]);
export type CatalogueRecord = z.infer<typeof CatalogueRecord>;

/** The name of a pack's last entry, a {@link PackIndex} in JSON. */
export const INDEX_ENTRY = "index.json";

/** The catalogue records of a pack's batch, so that a lost catalogue can be rebuilt from packs alone. */
export const PackIndex = z.object({ v: z.literal(1), pack: PackName, records: z.array(CatalogueRecord) });
export type PackIndex = z.infer<typeof PackIndex>;
