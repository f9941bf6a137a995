import type { AuditedSelection } from "../../../shared/audit/audit-log.ts";
import type { RunId, SnapshotId } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { OnConflict, Selection, Target } from "../restore.contract.ts";
import type { ListedRestore } from "../restore-list.contract.ts";
import { keepSelection } from "../restore-state.ts";

/** A restore that its caller may start: the mailboxes, snapshot, folders and items that it names exist. */
export interface ResolvedRestore {
  readonly mailbox: MailboxRef;
  /** The mailbox to restore into; it may be the same. */
  readonly into: MailboxRef;
  readonly snapshotId: SnapshotId;
  readonly select: Selection;
  readonly audited: AuditedSelection;
  readonly target: Target;
  readonly onConflict: OnConflict;
}

/** The input of the restore's orchestrator. The selection is kept in scratch data. */
export const restoreInput = async (
  work: Blobs,
  restoreId: RunId,
  { mailbox, into, snapshotId, select, target, onConflict }: ResolvedRestore,
  dryRun: boolean,
): Promise<ListedRestore> => ({
  restoreId,
  mailbox,
  ...(into.key === mailbox.key ? {} : { into }),
  snapshotId,
  select: await keepSelection(work, restoreId, select),
  target,
  onConflict,
  dryRun,
  ...(dryRun ? {} : { exclusive: true }),
});
