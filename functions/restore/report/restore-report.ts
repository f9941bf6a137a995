import * as z from "zod";
import { MailboxKey, RunId, SnapshotId } from "../../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson } from "../../../shared/storage/blobs.ts";
import { removeCheckpoints } from "../paging/checkpoints.ts";
import { RestoreResult } from "../restore.contract.ts";
import { reportName } from "../restore-state.ts";

const Count = z.int().nonnegative();

/** A folder of the snapshot, and the outcomes of its planned items. */
export const FolderReport = z.object({
  folderId: z.string(),
  /** Where its items went; absent when the plan lacks one of the folders above. */
  path: z.string().optional(),
  /** Planned items. */
  wanted: Count,
  /** Items that Exchange accepted as new ones, by its own answer. */
  imported: Count,
  /** Items that Exchange accepted as replacements, by its own answer. */
  replaced: Count.default(0),
  /** Planned items that the comparison found in the target. */
  present: Count,
  /** Planned items that it did not find, for any reason. */
  missing: Count,
  /** Items that were not planned, since the folder held a copy of them already. */
  alreadyThere: Count.default(0),
  /** Copies of planned items that came since the restore began, beyond those that it was to make. */
  surplus: Count.default(0),
});
export type FolderReport = z.output<typeof FolderReport>;

/**
 * An item with any outcome but a plain import. `code` says why it failed, or why it is not clear; `lookAt` are the live
 * items to look at: one of them may be its import, or is a copy too many.
 */
export const ItemReport = z.object({
  folderId: z.string(),
  id: z.string(),
  outcome: z.enum(["present", "replaced", "ambiguous", "failed", "missing", "surplus"]),
  code: z.string().optional(),
  lookAt: z.array(z.string()).optional(),
});
export type ItemReport = z.output<typeof ItemReport>;

/** What a restore did, by a listing of the target afterwards. It names folders, but no mailbox by its address. */
export const RestoreReport = z.object({
  v: z.literal(1),
  restoreId: RunId,
  mailbox: MailboxKey,
  /** Absent in reports of restores from before this field existed. */
  snapshot: SnapshotId.optional(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  /** With why it ended early, if it did. */
  counts: RestoreResult,
  folders: z.array(FolderReport),
  items: z.array(ItemReport),
});
export type RestoreReport = z.output<typeof RestoreReport>;

/** The first report that is kept stands. */
export const keepRestoreReport = async (work: Blobs, report: RestoreReport): Promise<void> => {
  await work.create(reportName(report.restoreId), jsonBytes(RestoreReport.parse(report)));
};

/** For a restore that goes on after it had ended: it is compared anew at its end, and another report written. */
export const removeRestoreReport = async (work: Blobs, restoreId: RunId): Promise<void> => {
  await removeCheckpoints(work, restoreId, "comparing");
  await work.remove(reportName(restoreId));
};

/** `undefined` before the end of a restore, and when its scratch data has expired. */
export const findRestoreReport = (work: Blobs, restoreId: RunId): Promise<RestoreReport | undefined> =>
  readJson(work, reportName(restoreId), RestoreReport);
