import { mapBounded } from "../../../shared/bounded.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { TellProblem } from "../../../shared/graph/read-element.ts";
import { type FolderBook, lookUpFolder, note } from "./folder-book.ts";

/** Every mailbox has it, so that it shows whether a mailbox can be asked for names at all. */
const CONTROL = "inbox";

/**
 * Source: learn.microsoft.com/graph/api/resources/mailfolder (2026-08), and for those of calendars and the like, and of
 * the dumpster, the names of Exchange Web Services.
 */
const NAMES: readonly string[] = [
  "archive",
  "calendar",
  "clutter",
  "conflicts",
  "contacts",
  "conversationhistory",
  "deleteditems",
  "drafts",
  "journal",
  "junkemail",
  "localfailures",
  "notes",
  "outbox",
  "recoverableitemsdeletions",
  "recoverableitemsdiscoveryholds",
  "recoverableitemspurges",
  "recoverableitemsroot",
  "recoverableitemssubstrateholds",
  "recoverableitemsversions",
  "scheduled",
  "searchfolders",
  "sentitems",
  "serverfailures",
  "syncissues",
  "tasks",
];

/**
 * Finds the well-known folders where Graph does not show which they are: the documents name `wellKnownName`, and the
 * schema does not. Each is asked for by its name, unless it is known from the last run. That is done when no folder has
 * a name, or when a new one at the top comes without the property. Archives do not know the names:
 * learn.microsoft.com/graph/handle-archive-mailbox-redirects (2026-04). Where it cannot be found out, that is told.
 *
 * A folder that nothing else shows is noted only where others are said to be below it.
 */
export const findWellKnown = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  book: FolderBook,
  isNew: (id: string) => boolean,
  tell: TellProblem,
): Promise<void> => {
  const { facts } = book;
  const known = new Set([...facts.values()].flatMap(({ wellKnownName }) => wellKnownName?.toLowerCase() || []));
  const isUntold = [...facts.values()].some(
    ({ id, parentFolderId, wellKnownName }) =>
      wellKnownName === undefined && isNew(id) && !facts.has(parentFolderId ?? ""),
  );
  if (facts.size === 0 || (known.size > 0 && (book.named.size > 0 || !isUntold))) return;

  const ask = async (name: string) => ({ name, folder: await lookUpFolder(graph, mailbox, name, tell) });
  const isPrimary = mailbox.kind === "primary";
  const control = isPrimary && !known.has(CONTROL) ? [await ask(CONTROL)] : [];
  const canAsk = isPrimary && control.every(({ folder }) => typeof folder !== "string");
  const open = canAsk ? NAMES.filter((name) => !known.has(name)) : [];
  const answers = [...control, ...(await mapBounded(open, MAILBOX_SLOTS, ask))];
  if (!canAsk || answers.some(({ folder }) => folder === "unclear"))
    tell({ what: "Graph does not tell which folders are search folders and which are the dumpster" });

  const parents = new Set([...facts.values()].map(({ parentFolderId }) => parentFolderId));
  for (const { name, folder } of answers) {
    if (typeof folder === "string" || !(facts.has(folder.id) || parents.has(folder.id))) continue;
    note(book, { ...folder, wellKnownName: name });
  }
};
