/** An error that the caller can correct; its message is the one line to show. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `Usage: npm run --silent vault -- COMMAND VAULT ...

VAULT is a folder with the blobs of the container as files, or the container's URL, with a SAS that may read and list.
Without a SAS, you are who az, azd or the environment says you are.

  verify VAULT [MAILBOX]                          reads every byte; one line for each finding, and 1 if there is any
  ls VAULT                                        mailboxes: key, user, newest snapshot, items, bytes
  ls VAULT MAILBOX                                snapshots: id, when it finished, state, stored, removed, failed
  ls VAULT MAILBOX SNAPSHOT                       folders: path, items, bytes
  ls VAULT MAILBOX SNAPSHOT FOLDER                items: id, time, bytes, class, from, subject
  cat VAULT MAILBOX SNAPSHOT ITEM [--out FILE]    the item as Exchange exported it
  export VAULT MAILBOX SNAPSHOT [FOLDER] --out DIR     every item as a file, and listing.csv
  rebuild VAULT [MAILBOX] --out VAULT             a new catalogue from the packs alone, into another vault

MAILBOX is a key, the beginning of a key, or the id of a user or of a mailbox. SNAPSHOT is an id, 'newest', or a time:
the last snapshot that had begun by then. FOLDER is a path, an id or a well-known name; subfolders are not included.
Nothing is ever overwritten. Tabs separate columns. Exit codes: 0; 1 for damage; 2, with one line, for an error.`;
