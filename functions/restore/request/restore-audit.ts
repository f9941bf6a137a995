import { type AuditedSelection, MAX_IDS, type RestoreRequested } from "../../../shared/audit/audit-log.ts";
import { findFolder } from "../../../shared/vault/find-folder.ts";
import type { SnapshotFolder } from "../../../shared/vault/records.ts";
import type { Selection } from "../restore.contract.ts";
import type { ResolvedRestore } from "./resolved-restore.ts";

/** What the audit log says of a restore, beside who asks for it, when and why. */
export const auditedRestore = ({
  mailbox,
  into,
  snapshotId,
  audited,
  target,
  onConflict,
}: Omit<ResolvedRestore, "select">): Omit<
  RestoreRequested,
  "at" | "principal" | "job" | "list" | "dryRun" | "reason"
> => ({
  event: "restore-requested",
  mailbox: mailbox.key,
  ...(into.key === mailbox.key ? {} : { into: into.key }),
  snapshot: snapshotId,
  selection: audited,
  target,
  onConflict,
});

/** A selection for the audit log: folders by id, since a path may hold any words, and nothing of a query. */
export const auditedSelection = (select: Selection, folders: readonly SnapshotFolder[]): AuditedSelection => {
  if ("all" in select) return { kind: "all" };
  if ("query" in select) return { kind: "query" };
  if ("items" in select) return { kind: "items", count: select.items.length, ids: select.items.slice(0, MAX_IDS) };
  const first = select.folders.slice(0, MAX_IDS);
  const ids = first.flatMap((name) => findFolder(folders, name)?.id ?? []);
  return { kind: "folders", count: select.folders.length, ids };
};
