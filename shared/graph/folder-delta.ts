import * as z from "zod";
import { PAGE_ITEMS } from "../contracts/limits.ts";
import { FolderResource, mergeFolder } from "./folders.ts";
import type { GraphClient } from "./graph-client.ts";
import { type MailboxAddress, mailboxPath } from "./mailbox-address.ts";
import { fetchPage, startRound } from "./page.ts";
import type { PageProblem } from "./read-element.ts";

/** An element of a delta: a folder, or the removal of one. Only an object means a removal. */
const DeltaResource = FolderResource.extend({ "@removed": z.unknown().optional() });

/**
 * The result of one delta round over a mailbox's folders. Of a folder, it may show no more than what changed. One that
 * was shown and then removed is removed.
 */
export interface FolderChanges {
  readonly changed: ReadonlyMap<string, FolderResource>;
  readonly removed: ReadonlySet<string>;
  /** Those of which it is not clear whether they were removed. */
  readonly unclear: ReadonlySet<string>;
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
  const unclear = new Set<string>();
  const problems: PageProblem[] = [];
  const round = startRound("delta");
  let target = deltaLink ?? `${mailboxPath(mailbox)}/folders/delta`;
  for (;;) {
    const headers = { prefer: `odata.maxpagesize=${PAGE_ITEMS}` };
    const request = { operation: "GET folders/delta", target, headers };
    const page = await fetchPage(graph, request, DeltaResource, round);
    problems.push(...page.problems);
    for (const { "@removed": removal, ...folder } of page.value) {
      const { id } = folder;
      if (typeof removal === "object" && removal !== null) {
        changed.delete(id);
        removed.add(id);
        continue;
      }
      const isClear = removal === undefined;
      if (isClear) unclear.delete(id);
      else unclear.add(id);
      if (!isClear) problems.push({ id, what: "@removed is not of the documented form" });
      changed.set(id, isClear ? mergeFolder(changed.get(id), folder) : { id });
      removed.delete(id);
    }
    if (page.deltaLink !== undefined) return { changed, removed, unclear, deltaLink: page.deltaLink, problems };
    // The round has checked that the page has one of the links.
    target = page.nextLink as string;
  }
};
