import type { MailboxKey } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { roleMissingProblem } from "../../../shared/http/guard.ts";
import { type Problem, problem } from "../../../shared/http/problem.ts";
import type { FindMailbox } from "../../../shared/mailboxes.ts";
import type { Principal, Role } from "../../../shared/security/principal.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { UnknownItemsError } from "../../id-translation/item-ids.ts";
import type { Selection, Target } from "../restore.contract.ts";
import { chooseSnapshot } from "./choose-snapshot.ts";
import type { ResolvedRestore } from "./resolved-restore.ts";
import { auditedSelection } from "./restore-audit.ts";
import type { RestoreSpec, TargetSpec } from "./restore-request.ts";
import { checkSelection, type FoldedSnapshot, UnknownFolderError } from "./selection.ts";

/** The REST ids of a selection of items of a mailbox, as the vault stores them, or why there are none. */
export type ToRestIds = (
  mailbox: MailboxRef,
  select: Extract<Selection, { items: unknown }>,
) => Promise<{ readonly ids: readonly string[] } | { readonly refusal: Problem }>;

/** What looking up a restore needs. `roles` are the caller's. */
export interface ResolverDeps {
  readonly find: FindMailbox;
  readonly vault: Blobs;
  readonly roles: readonly string[];
  readonly toRestIds: ToRestIds;
}

/** Looks up everything that a restore names. A problem when something does not exist, or the caller may not do it. */
export const resolveRestore = async (
  { find, vault, roles, toRestIds }: ResolverDeps,
  spec: RestoreSpec,
): Promise<{ readonly resolved: ResolvedRestore } | { readonly refusal: Problem }> => {
  const { onConflict } = spec;
  const mailbox = await find(spec.mailbox);
  if (mailbox === undefined) return { refusal: MAILBOX_NOT_FOUND };

  const { mailbox: intoName, folders: target } = targetOf(spec.target);
  const into = intoName === undefined ? mailbox : await find(intoName);
  if (into === undefined) return notFound("target-not-found", "There is no such mailbox to restore into.");
  const missing = missingRole({ roles }, { source: mailbox.key, target: into.key });
  if (missing !== undefined) return { refusal: roleMissingProblem(missing) };

  const snapshot = await chooseSnapshot(vault, mailbox.key, spec);
  if (snapshot === undefined) return notFound("snapshot-not-found", "The mailbox has no such snapshot.");
  const translated = await byRestIds(toRestIds, mailbox, spec.select);
  if ("refusal" in translated) return translated;
  const { select } = translated;
  const refusal = await unknownIn(vault, snapshot, select);
  if (refusal !== undefined) return { refusal };

  const audited = auditedSelection(spec.select, snapshot.folders);
  return { resolved: { mailbox, into, snapshotId: snapshot.id, select, audited, target, onConflict } };
};

/** The role that a caller lacks to restore one mailbox into another; `undefined` when none is missing. */
export const missingRole = (
  { roles }: Pick<Principal, "roles">,
  { source, target }: { readonly source: MailboxKey; readonly target: MailboxKey },
): Role | undefined =>
  source === target || roles.includes("Restore.CrossMailbox") ? undefined : "Restore.CrossMailbox";

export const MAILBOX_NOT_FOUND: Problem = problem(404, "mailbox-not-found", "There is no such mailbox.");

const notFound = (kind: string, detail: string) => ({ refusal: problem(404, kind, detail) });

const targetOf = (target: TargetSpec): { mailbox?: string; folders: Target } =>
  typeof target === "string" ? { folders: target } : target;

/**
 * A selection of items by REST ids. They are translated now and not by the plan: an id that names nothing is refused at
 * once.
 */
const byRestIds = async (
  toRestIds: ToRestIds,
  mailbox: MailboxRef,
  select: Selection,
): Promise<{ readonly select: Selection } | { readonly refusal: Problem }> => {
  if (!("items" in select)) return { select };
  const found = await toRestIds(mailbox, select);
  return "ids" in found ? { select: { items: [...found.ids] } } : found;
};

/** 404 for folders or items that the snapshot does not have. */
const unknownIn = async (vault: Blobs, snapshot: FoldedSnapshot, select: Selection): Promise<Problem | undefined> => {
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
