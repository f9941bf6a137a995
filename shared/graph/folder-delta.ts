import * as z from "zod";
import { PAGE_ITEMS } from "../contracts/limits.ts";
import { FolderResource } from "./folders.ts";
import type { GraphClient } from "./graph-client.ts";
import { type MailboxAddress, mailboxPath } from "./mailbox-address.ts";
import { fetchPage } from "./page.ts";

const Removed = z.looseObject({ id: z.string().min(1), "@removed": z.looseObject({ reason: z.string() }) });

/** The result of one delta round over a mailbox's folders. A folder that was shown and then removed is removed. */
export interface FolderChanges {
  readonly changed: ReadonlyMap<string, FolderResource>;
  readonly removed: ReadonlySet<string>;
  readonly deltaLink: string;
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
  let target = deltaLink ?? `${mailboxPath(mailbox)}/folders/delta`;
  for (;;) {
    const headers = { prefer: `odata.maxpagesize=${PAGE_ITEMS}` };
    const request = { operation: "GET folders/delta", target, headers };
    const page = await fetchPage(graph, request, z.union([Removed, FolderResource]));
    for (const element of page.value) {
      if ("@removed" in element) {
        changed.delete(element.id);
        removed.add(element.id);
      } else {
        changed.set(element.id, element as FolderResource);
        removed.delete(element.id);
      }
    }
    if (page.deltaLink !== undefined) return { changed, removed, deltaLink: page.deltaLink };
    if (page.nextLink === undefined) throw new Error("A delta round over folders ended without a link");
    target = page.nextLink;
  }
};
