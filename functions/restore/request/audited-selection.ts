import { type AuditedSelection, MAX_IDS } from "../../../shared/audit/audit-log.ts";
import { findFolder } from "../../../shared/vault/find-folder.ts";
import type { ManifestFolder } from "../../../shared/vault/manifest.ts";
import type { Selection } from "../restore.contract.ts";

/** A selection as the audit log has it: folders by their ids, since a path may say anything, and no words of a query. */
export const auditedSelection = (select: Selection, folders: readonly ManifestFolder[]): AuditedSelection => {
  if ("all" in select) return { kind: "all" };
  if ("query" in select) return { kind: "query" };
  if ("items" in select) return { kind: "items", count: select.items.length, ids: select.items.slice(0, MAX_IDS) };
  const first = select.folders.slice(0, MAX_IDS);
  const ids = first.flatMap((name) => findFolder(folders, name)?.id ?? []);
  return { kind: "folders", count: select.folders.length, ids };
};
