import type { MailboxRef } from "../contracts/mailbox.ts";

/** A mailbox's id and kind, which decide its URL: only the beta endpoints serve archives. */
export type MailboxAddress = Pick<MailboxRef, "id" | "kind">;

/** v1.0 answers "Operation on Archive mailbox not allowed": seen in production, and documented for beta only. */
const VERSIONS: Readonly<Record<MailboxAddress["kind"], string>> = { primary: "v1.0", archive: "beta" };

export const mailboxPath = ({ id, kind }: MailboxAddress): string =>
  `/${VERSIONS[kind]}/admin/exchange/mailboxes/${encodeURIComponent(id)}`;

/** Folders are addressed by id: an archive has no well-known names. */
export const folderPath = (mailbox: MailboxAddress, folderId: string): string =>
  `${mailboxPath(mailbox)}/folders/${encodeURIComponent(folderId)}`;
