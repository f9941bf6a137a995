/** What the caller can mend: the one line to show. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `Usage: npm run --silent vault -- COMMAND VAULT ...

VAULT is a folder with the blobs of the container as files, or the container's URL: with a SAS that may read and list, or
without one for whoever az, azd or the environment says you are.

  verify VAULT [MAILBOX]                          reads every byte; one line for each finding, and 1 if there is any
  ls VAULT                                        mailboxes: key, user, newest snapshot, items, bytes
  ls VAULT MAILBOX                                snapshots: id, when it finished, state, stored, removed, failed
  ls VAULT MAILBOX SNAPSHOT                       folders: path, items, bytes
  ls VAULT MAILBOX SNAPSHOT FOLDER                items: id, time, bytes, class, from, subject
  cat VAULT MAILBOX SNAPSHOT ITEM [--out FILE]    the item as Exchange exported it
  export VAULT MAILBOX SNAPSHOT [FOLDER] --out DIR     every item as a file, and listing.csv
  rebuild VAULT [MAILBOX] --out VAULT             a new catalogue from the packs alone, into another place

MAILBOX is a key, the beginning of one, or the id of a user or of a mailbox; SNAPSHOT an id, 'newest', or a time, for the
last one that had begun by then; FOLDER a path, an id or a well-known name, without the folders below it.
Nothing is ever overwritten. Columns are separated by tabs. Ends with 0; with 1 for damage; with 2 and one line for a mistake.`;
