import type { RestoreRequested } from "../../../shared/audit/audit-log.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { ListedRestore } from "../restore-list.contract.ts";
import { keepSelection } from "../restore-state.ts";
import type { ResolvedRestore } from "./resolve-restore.ts";

/** What the audit log says of a restore, beside who asks for it, when and why. */
export const auditedRestore = ({
  mailbox,
  other,
  ...restore
}: ResolvedRestore): Omit<RestoreRequested, "at" | "principal" | "job" | "dryRun" | "reason"> => ({
  event: "restore-requested",
  mailbox: mailbox.key,
  ...(other.key === mailbox.key ? {} : { into: other.key }),
  snapshot: restore.snapshotId,
  selection: restore.audited,
  target: restore.target,
  onConflict: restore.onConflict,
});

/** The restore as its orchestrator takes it. Its selection stays behind, in its scratch data. */
export const orderedRestore = async (
  work: Blobs,
  restoreId: RunId,
  { mailbox, other, snapshotId, select, target, onConflict }: ResolvedRestore,
  dryRun: boolean,
): Promise<ListedRestore> => ({
  restoreId,
  mailbox,
  ...(other.key === mailbox.key ? {} : { into: other }),
  snapshotId,
  select: await keepSelection(work, restoreId, select),
  target,
  onConflict,
  dryRun,
});
