import type { MailboxRef } from "../contracts/mailbox.ts";

/** What it takes to reach a mailbox: archives are served by the beta endpoints only. */
export type MailboxAddress = Pick<MailboxRef, "id" | "kind">;

/** v1.0 answers "Operation on Archive mailbox not allowed"; seen in production, and documented for beta only. */
const VERSIONS: Readonly<Record<MailboxAddress["kind"], string>> = { primary: "v1.0", archive: "beta" };

export const mailboxPath = ({ id, kind }: MailboxAddress): string =>
  `/${VERSIONS[kind]}/admin/exchange/mailboxes/${encodeURIComponent(id)}`;

/** Folders go by their id: an archive knows no well-known names. */
export const folderPath = (mailbox: MailboxAddress, folderId: string): string =>
  `${mailboxPath(mailbox)}/folders/${encodeURIComponent(folderId)}`;
