import { createHash } from "node:crypto";
import * as z from "zod";
import { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import { merkleRoot } from "./merkle.ts";
import { belongsTo, PartName } from "./names.ts";
import { FolderFacts, Sha256, SnapshotFolder } from "./records.ts";
import { summedJson } from "./summed-json.ts";

const Count = z.int().nonnegative();

export const MailboxKind = z.enum(["primary", "archive"]);
export type MailboxKind = z.infer<typeof MailboxKind>;

/** Whose mailbox it is, as the directory said when the snapshot was made: it may forget them. Version 1 has the id. */
export const MailboxUser = z.object({
  id: z.string().min(1),
  displayName: z.string().optional(),
  userPrincipalName: z.string().optional(),
  primaryAddress: z.string().optional(),
  /** The other addresses at which the mailbox gets mail. */
  aliases: z.array(z.string()).optional(),
  userType: z.string().optional(),
  /** Whether they may sign in: shared mailboxes and leavers may not. */
  accountEnabled: z.boolean().optional(),
  licensed: z.boolean().optional(),
});
export type MailboxUser = z.infer<typeof MailboxUser>;

/** `partial`: an item failed for an unknown reason, or a folder is not backed up to its end. The next run goes on. */
export const SnapshotState = z.enum(["complete", "partial"]);
export type SnapshotState = z.infer<typeof SnapshotState>;

/**
 * A part as its manifest pins it. `sha256` and `bytes` are of the stored gzip. `folders`: it holds records of folders
 * alone, and of manifests of version 2 and their bases, only such parts do. `leftOut`: how many of its records are of
 * items that were left out; absent for none, and in version 1, where it is not known.
 */
export const PartRef = z.object({
  name: PartName,
  sha256: Sha256,
  bytes: Count,
  records: Count,
  folders: z.literal(true).optional(),
  leftOut: Count.optional(),
});
export type PartRef = z.infer<typeof PartRef>;

const CommonFields = {
  id: SnapshotId,
  base: z.boolean(),
  parent: z.object({ id: SnapshotId, sha256: Sha256 }).nullable(),
  mailboxKey: MailboxKey,
  mailboxId: z.string().min(1),
  kind: MailboxKind,
  user: MailboxUser.optional(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  trigger: z.enum(["schedule", "request", "event"]),
  foldersDeltaLink: z.string().optional(),
  parts: z.array(PartRef),
  root: Sha256,
  state: SnapshotState,
  program: z.string().min(1),
};

const Counts = z.object({
  put: Count,
  removed: Count,
  skipped: Count,
  failed: Count,
  /** Items that the next run asks for again beside the failed ones. */
  again: Count.optional(),
  rawBytes: Count,
  storedBytes: Count,
});

/** Names every folder of the snapshot itself, whatever the snapshots before it say. */
const ManifestV1 = z.object({
  v: z.literal(1),
  ...CommonFields,
  counts: Counts,
  folders: z.array(SnapshotFolder),
  /** Folders that are not backed up; a later change of a folder may name one as its parent, by its id only. */
  otherFolders: z.array(FolderFacts).optional(),
});

/** Names no folder: its parts hold the records of those that changed. `counts.folders` is of all that it has. */
export const ManifestV2 = z.object({
  v: z.literal(2),
  ...CommonFields,
  counts: Counts.extend({ folders: Count, problems: Count }),
});
export type ManifestV2 = z.infer<typeof ManifestV2>;

/**
 * A snapshot: the parts that lead from its parent to it, in the order in which they apply (a later record wins). A base
 * needs no parent: its parts hold everything that is live.
 */
export const Manifest = z
  .discriminatedUnion("v", [ManifestV1, ManifestV2])
  .refine((m) => m.parent !== null || m.base, "a snapshot without a parent must be a base")
  .refine((m) => m.parts.every((part) => belongsTo(m.mailboxKey, part.name)), "a part lies outside the mailbox")
  .refine((m) => m.root === merkleRoot(m.parts.map((part) => part.sha256)), "root does not match the parts");
export type Manifest = z.infer<typeof Manifest>;

/** The number of folders that a snapshot has. */
export const folderCount = (manifest: Manifest): number =>
  manifest.v === 1 ? manifest.folders.length : manifest.counts.folders;

/** The bytes of a manifest: canonical JSON with its own checksum. */
export const manifestBytes = (manifest: Manifest): Buffer => summedJson(manifest);

/** The hash in a child's `parent.sha256` and in the head's `manifestSha256`: of the blob's bytes as stored. */
export const manifestSha256 = (bytes: Uint8Array): Sha256 => createHash("sha256").update(bytes).digest("hex");
