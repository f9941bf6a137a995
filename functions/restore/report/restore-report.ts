import * as z from "zod";
import { MailboxKey, RunId, SnapshotId } from "../../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson } from "../../../shared/storage/blobs.ts";
import { reconcileRestore } from "../restore.contract.ts";
import { reportName } from "../restore-state.ts";

const Count = z.int().nonnegative();

/** A folder of the snapshot, and what became of the items that the plan wanted to bring back to it. */
export const FolderReport = z.object({
  folderId: z.string(),
  /** Where its items went, as far as the plan knows the folders above. */
  path: z.string().optional(),
  wanted: Count,
  /** Those that Exchange took as new items, by what it said at the time. */
  imported: Count,
  /** Those that it took in place of others, by the same token. */
  replaced: Count.default(0),
  /** Those that are seen in the target afterwards. */
  present: Count,
  /** Those that are not, for whatever reason. */
  missing: Count,
  /** Items beside those wanted: copies of them lay there when it was planned, and were left alone. */
  alreadyThere: Count.default(0),
});
export type FolderReport = z.output<typeof FolderReport>;

/** An item that was not simply imported. `code` says why one failed. */
export const ItemReport = z.object({
  folderId: z.string(),
  id: z.string(),
  outcome: z.enum(["present", "replaced", "ambiguous", "failed", "missing"]),
  code: z.string().optional(),
});
export type ItemReport = z.output<typeof ItemReport>;

/** What a restore did, once the target was listed again. It names folders, but no mailbox by its address. */
export const RestoreReport = z.object({
  v: z.literal(1),
  restoreId: RunId,
  mailbox: MailboxKey,
  /** Absent in the report of a restore that began before reports had it. */
  snapshot: SnapshotId.optional(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  counts: reconcileRestore.output,
  folders: z.array(FolderReport),
  items: z.array(ItemReport),
});
export type RestoreReport = z.output<typeof RestoreReport>;

/** The report that is kept first stands. */
export const keepRestoreReport = async (work: Blobs, report: RestoreReport): Promise<void> => {
  await work.create(reportName(report.restoreId), jsonBytes(RestoreReport.parse(report)));
};

/** `undefined` before the end of a restore, and once its scratch data has expired. */
export const findRestoreReport = (work: Blobs, restoreId: RunId): Promise<RestoreReport | undefined> =>
  readJson(work, reportName(restoreId), RestoreReport);
