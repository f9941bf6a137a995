import * as z from "zod";
import { PAGE_ITEMS } from "../contracts/limits.ts";
import { FolderResource, mergeFolder } from "./folders.ts";
import type { GraphClient } from "./graph-client.ts";
import { type MailboxAddress, mailboxPath } from "./mailbox-address.ts";
import { fetchPage, startRound } from "./page.ts";
import type { PageProblem } from "./read-element.ts";

/** An element of a delta: a folder, or the removal of one. Only an object means a removal. */
const DeltaResource = FolderResource.extend({ "@removed": z.looseObject({}).optional() });

/**
 * The result of one delta round over a mailbox's folders. Of a folder, it may show no more than what changed. One that
 * was shown and then removed is removed.
 */
export interface FolderChanges {
  readonly changed: ReadonlyMap<string, FolderResource>;
  readonly removed: ReadonlySet<string>;
  readonly deltaLink: string;
  /** What is odd in the elements of the round. */
  readonly problems: readonly PageProblem[];
}

/**
 * One whole delta round over the folders, from the start or from an earlier round's deltaLink.
 *
 * @throws {GraphError} also when Graph has lost the delta state: the caller must list the folders.
 */
export const folderChanges = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  deltaLink?: string,
): Promise<FolderChanges> => {
  const changed = new Map<string, FolderResource>();
  const removed = new Set<string>();
  const problems: PageProblem[] = [];
  const round = startRound("delta");
  let target = deltaLink ?? `${mailboxPath(mailbox)}/folders/delta`;
  for (;;) {
    const headers = { prefer: `odata.maxpagesize=${PAGE_ITEMS}` };
    const request = { operation: "GET folders/delta", target, headers };
    const page = await fetchPage(graph, request, DeltaResource, round);
    problems.push(...page.problems);
    for (const { "@removed": removal, ...folder } of page.value) {
      if (removal !== undefined) {
        changed.delete(folder.id);
        removed.add(folder.id);
      } else {
        changed.set(folder.id, mergeFolder(changed.get(folder.id), folder));
        removed.delete(folder.id);
      }
    }
    if (page.deltaLink !== undefined) return { changed, removed, deltaLink: page.deltaLink, problems };
    // The round has checked that the page has one of the links.
    target = page.nextLink as string;
  }
};
