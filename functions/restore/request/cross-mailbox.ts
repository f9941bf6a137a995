import type { MailboxKey } from "../../../shared/contracts/ids.ts";
import type { Principal, Role } from "../../../shared/security/principal.ts";

/** The role that a caller lacks to restore one mailbox into another; `undefined` when both are one, or nothing is lacking. */
export const missingRole = (
  { roles }: Principal,
  { source, target }: { readonly source: MailboxKey; readonly target: MailboxKey },
): Role | undefined =>
  source === target || roles.includes("Restore.CrossMailbox") ? undefined : "Restore.CrossMailbox";
