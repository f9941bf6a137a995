import type { HttpRequest } from "@azure/functions";
import type { AuditedSelection } from "../../../shared/audit/audit-log.ts";
import type { SnapshotId } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { roleMissingProblem } from "../../../shared/http/guard.ts";
import { type Problem, problem } from "../../../shared/http/problem.ts";
import type { Principal } from "../../../shared/security/principal.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import { UnknownItemsError } from "../../id-translation/item-ids.ts";
import { resolveIds } from "../../id-translation/resolve-ids.ts";
import type { Translator } from "../../id-translation/translator.ts";
import type { OnConflict, Selection, Target } from "../restore.contract.ts";
import { auditedSelection } from "./audited-selection.ts";
import { chooseSnapshot } from "./choose-snapshot.ts";
import { missingRole } from "./cross-mailbox.ts";
import type { Wish } from "./restore-request.ts";
import { UnknownFolderError } from "./select-folders.ts";
import { checkSelection } from "./select-items.ts";

/** A restore of which all is there that it names, and that its caller may start. */
export interface ResolvedRestore {
  readonly mailbox: MailboxRef;
  /** The mailbox that it fills, which may be the same. */
  readonly other: MailboxRef;
  readonly snapshotId: SnapshotId;
  readonly select: Selection;
  readonly audited: AuditedSelection;
  readonly target: Target;
  readonly onConflict: OnConflict;
}

/** Looks up what a restore names; or says what is not there, or not the caller's to do. */
export const resolveRestore = async (
  {
    find,
    vault,
    principal,
    ...asking
  }: Asking & {
    readonly find: (name: string) => Promise<MailboxRef | undefined>;
    readonly vault: Blobs;
    readonly principal: Principal;
  },
  wish: Wish,
): Promise<{ readonly resolved: ResolvedRestore } | { readonly refusal: Problem }> => {
  const { onConflict } = wish;
  const mailbox = await find(wish.mailbox);
  if (mailbox === undefined) return notFound("mailbox-not-found", "There is no such mailbox.");

  const { mailbox: into, folders: target } = placeOf(wish.target);
  const other = into === undefined ? mailbox : await find(into);
  if (other === undefined) return notFound("target-not-found", "There is no such mailbox to restore into.");
  const lacked = missingRole(principal, { source: mailbox.key, target: other.key });
  if (lacked !== undefined) return { refusal: roleMissingProblem(lacked) };

  const snapshot = await chooseSnapshot(vault, mailbox.key, wish);
  if (snapshot === undefined) return notFound("snapshot-not-found", "The mailbox has no such snapshot.");
  const known = await byKnownIds(asking, mailbox, wish.select);
  if ("refusal" in known) return known;
  const { select } = known;
  const refusal = await unknownIn(vault, snapshot, select);
  if (refusal !== undefined) return { refusal };

  const audited = auditedSelection(wish.select, snapshot.folders);
  return { resolved: { mailbox, other, snapshotId: snapshot.id, select, audited, target, onConflict } };
};

const notFound = (kind: string, detail: string) => ({ refusal: problem(404, kind, detail) });

const placeOf = (target: Wish["target"]): { mailbox?: string; folders: Target } =>
  typeof target === "string" ? { folders: target } : target;

/** Who asks, and in whose name ids are translated. */
interface Asking {
  readonly translator: Translator;
  readonly request: Pick<HttpRequest, "headers">;
}

/**
 * A selection by the ids that the vault knows. They are found here and not when the restore is planned: what names nothing
 * is told at once, and the caller, in whose name Graph may have to be asked, is still there.
 */
const byKnownIds = async (
  { translator, request }: Asking,
  mailbox: MailboxRef,
  select: Selection,
): Promise<{ readonly select: Selection } | { readonly refusal: Problem }> => {
  if (!("items" in select)) return { select };
  const found = await resolveIds(translator, request, mailbox, { ids: select.items, format: select.format });
  return "ids" in found ? { select: { items: [...found.ids] } } : found;
};

/** 404 for what a selection names and the snapshot does not have. */
const unknownIn = async (vault: Blobs, snapshot: Manifest, select: Selection): Promise<Problem | undefined> => {
  try {
    await checkSelection(vault, snapshot, select);
    return undefined;
  } catch (error) {
    if (error instanceof UnknownFolderError)
      return problem(404, "folder-not-found", `${error.message}.`, { folder: error.folder });
    if (error instanceof UnknownItemsError)
      return problem(404, "item-not-found", `${error.message}.`, { positions: error.positions });
    throw error;
  }
};
