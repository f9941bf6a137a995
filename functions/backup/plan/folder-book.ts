import { mapBounded } from "../../../shared/bounded.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { type FolderResource, findFolder, mergeFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { TellProblem } from "../../../shared/graph/read-element.ts";
import { foundOrGone } from "./look-up.ts";

/** What a run knows of a mailbox's folders. */
export interface FolderBook {
  readonly facts: Map<string, FolderResource>;
  /** The folders whose number of items this run has read. */
  readonly counted: Set<string>;
  /** Those for which this run was shown a well-known name. */
  readonly named: Set<string>;
}

/** Notes what an answer shows of a folder. */
export const note = ({ facts, counted, named }: FolderBook, folder: FolderResource): void => {
  facts.set(folder.id, mergeFolder(facts.get(folder.id), folder));
  if (typeof folder.totalItemCount === "number") counted.add(folder.id);
  if (folder.wellKnownName) named.add(folder.id);
};

/** A folder as it is now; `unclear` where Graph refuses to say. @throws {GraphError} when Graph throttles. */
export const lookUpFolder = (
  graph: GraphClient,
  mailbox: MailboxAddress,
  idOrName: string,
  tell?: TellProblem,
): Promise<FolderResource | "gone" | "unclear"> => foundOrGone(() => findFolder(graph, mailbox, idOrName, tell));

/**
 * Looks up the folders that are in doubt, each by its id, and then the folders below those that are gone: it is not
 * documented whether delta tells their removal too, and one of them may have been moved elsewhere. A folder that is not
 * there leaves the book. Where the answer is not clear, it stays as it was, and that is told.
 *
 * @returns the folders that are there, and whether all answers were clear.
 */
export const settle = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  book: FolderBook,
  doubtful: readonly string[],
  tell: TellProblem,
): Promise<{ there: FolderResource[]; isClear: boolean }> => {
  const there: FolderResource[] = [];
  const asked = new Set<string>();
  let isClear = true;
  for (let open = doubtful; open.length > 0; ) {
    const gone = new Set<string>();
    const answers = await mapBounded(open, MAILBOX_SLOTS, (id) => lookUpFolder(graph, mailbox, id, tell));
    for (const [index, answer] of answers.entries()) {
      const id = open[index] as string;
      asked.add(id);
      if (answer === "gone") {
        book.facts.delete(id);
        gone.add(id);
      } else if (answer === "unclear") {
        isClear = false;
        tell({ id, what: "the folder could not be looked up" });
      } else {
        note(book, answer);
        there.push(answer);
      }
    }
    open = [...book.facts.values()]
      .filter(({ id, parentFolderId }) => gone.has(parentFolderId ?? "") && !asked.has(id))
      .map(({ id }) => id);
  }
  return { there, isClear };
};
