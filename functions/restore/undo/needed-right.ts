/** What to grant, so that an undo deletes items among others. */
export interface NeededRight {
  readonly permission: string;
  readonly exchangeRole: string;
  readonly identity: string;
  readonly setting: string;
  readonly documentation: string;
  readonly detail: string;
}

/**
 * The right to delete items. The app does without it unless somebody decides otherwise: it would let the identity that
 * restores delete any item of the mailboxes in its scope.
 */
export const DELETE_ITEMS: NeededRight = {
  permission: "MailboxItem.ReadWrite.All",
  exchangeRole: "Application MailboxItem.ReadWrite",
  identity: "restore",
  setting: "RESTORE_UNDO_ITEMS",
  documentation: "https://learn.microsoft.com/graph/api/mailboxfolder-delete-items",
  detail:
    "To delete items, give the restore identity Exchange's role Application MailboxItem.ReadWrite in its scope, and " +
    "set RESTORE_UNDO_ITEMS to true: docs/operate.md says how. Until then the report lists what would be deleted.",
};
