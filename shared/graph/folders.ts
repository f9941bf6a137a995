import { createHash } from "node:crypto";
import * as z from "zod";
import { allOf } from "../bounded.ts";
import { PAGE_ITEMS } from "../contracts/limits.ts";
import type { GraphClient } from "./graph-client.ts";
import { hasCode, isNotFound } from "./graph-error.ts";
import { folderPath, type MailboxAddress, mailboxPath } from "./mailbox-address.ts";
import { fetchAll, fetchElement } from "./page.ts";
import type { TellProblem } from "./read-element.ts";

/** A folder as Graph returns it. */
export const FolderResource = z.looseObject({
  id: z.string().min(1),
  /** Missing in a delta that shows only what changed. */
  displayName: z.string().optional(),
  parentFolderId: z.string().nullish(),
  childFolderCount: z.int().nonnegative().nullish(),
  totalItemCount: z.int().nonnegative().nullish(),
  type: z.string().nullish(),
  wellKnownName: z.string().nullish(),
});

export type FolderResource = z.output<typeof FolderResource>;

/** A folder of a live mailbox. `path` joins the display names from below the root, each escaped, with `/`. */
export interface LiveFolder {
  readonly id: string;
  readonly displayName: string;
  readonly path: string;
  readonly type: string;
  readonly itemCount: number;
  /** Absent for a folder directly below the root, whose parent the API does not list. */
  readonly parentId?: string;
  readonly wellKnownName?: string;
}

/** The container class of a folder whose `type` is missing. Source: MS-OXOSFLD 2.2.1. */
const DEFAULT_TYPE = "IPF.Note";

/** A display name as a path segment: `/` and `%` are escaped. */
export const pathSegment = (displayName: string): string => displayName.replaceAll("%", "%25").replaceAll("/", "%2F");

const LISTING = `$top=${PAGE_ITEMS}`;

/**
 * Every folder of a mailbox, parents before children, each once: the top-level listing has been seen to contain
 * descendants. Folders are listed level by level, those of one level at the same time, within the client's slots. A
 * folder is asked for its children unless it is known to have none. After each level but the last, `found` is called
 * with all folders so far. What is odd is told.
 */
export const listFolders = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  found: (folders: LiveFolder[]) => void = () => undefined,
  tell: TellProblem = () => undefined,
): Promise<LiveFolder[]> => {
  const resources = new Map<string, FolderResource>();
  const ask = (targets: readonly string[]) => allOf(targets.map((target) => listing(graph, target, tell)));
  let asked = ask([`${mailboxPath(mailbox)}/folders?${LISTING}`]);
  for (;;) {
    const fresh = (await asked).flat().filter(({ id }) => !resources.has(id));
    for (const folder of fresh) resources.set(folder.id, folder);
    const parents = fresh.filter(({ childFolderCount }) => childFolderCount !== 0);
    if (parents.length === 0) return folderTree(resources, tell);
    asked = ask(parents.map(({ id }) => `${folderPath(mailbox, id)}/childFolders?${LISTING}`));
    found(folderTree(resources));
  }
};

const listing = async (graph: GraphClient, target: string, tell: TellProblem): Promise<FolderResource[]> => {
  const folders: FolderResource[] = [];
  for await (const folder of fetchAll(graph, { operation: "GET folders", target }, FolderResource, tell))
    folders.push(folder);
  return folders;
};

/** Sends one small request. @throws {GraphError} when the mailbox does not answer. */
export const probeMailbox = async (graph: GraphClient, mailbox: MailboxAddress): Promise<void> => {
  const target = `${mailboxPath(mailbox)}/folders?$top=1`;
  await graph.json({ operation: "GET folders", target }, z.looseObject({}));
};

/** Whether a folder exists. @throws {GraphError} when the mailbox does not answer or does not exist. */
export const hasFolder = async (graph: GraphClient, mailbox: MailboxAddress, folderId: string): Promise<boolean> => {
  try {
    await graph.json({ operation: "GET folder", target: folderPath(mailbox, folderId) }, z.looseObject({}));
    return true;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await probeMailbox(graph, mailbox);
    return false;
  }
};

/**
 * Folders with their paths, parents before children. What is odd is told: a folder without a name, which gets one to
 * stand for it; and a circle of parents, whose last folder stands at the top.
 */
export const folderTree = (
  resources: ReadonlyMap<string, FolderResource>,
  tell: TellProblem = () => undefined,
): LiveFolder[] => {
  const folders = new Map<string, LiveFolder>();
  for (const first of resources.values()) {
    const line = new Map<string, FolderResource>();
    let next: FolderResource | undefined = first;
    while (next !== undefined && !line.has(next.id) && !folders.has(next.id)) {
      line.set(next.id, next);
      next = next.parentFolderId ? resources.get(next.parentFolderId) : undefined;
    }
    const upwards = [...line.values()];
    const top = upwards.at(-1);
    if (top !== undefined && next !== undefined && line.has(next.id))
      tell({ id: top.id, what: "the folder is below itself" });
    let parent = next && folders.get(next.id);
    for (const resource of upwards.toReversed()) {
      if (resource.displayName === undefined) tell({ id: resource.id, what: "the folder has no name" });
      parent = liveFolder(resource, parent);
      folders.set(parent.id, parent);
    }
  }
  return [...folders.values()];
};

const liveFolder = (resource: FolderResource, parent: LiveFolder | undefined): LiveFolder => {
  const displayName = resource.displayName ?? placeholder(resource.id);
  const segment = pathSegment(displayName);
  return {
    id: resource.id,
    displayName,
    path: parent === undefined ? segment : `${parent.path}/${segment}`,
    type: resource.type ?? DEFAULT_TYPE,
    itemCount: resource.totalItemCount ?? 0,
    ...(parent === undefined ? {} : { parentId: parent.id }),
    ...(resource.wellKnownName ? { wellKnownName: resource.wellKnownName } : {}),
  };
};

/** A name for a folder whose own is unknown, unlike that of any folder beside it. */
const placeholder = (id: string): string =>
  `Unnamed folder ${createHash("sha256").update(id).digest("hex").slice(0, 8)}`;

/**
 * Creates a folder below a parent, or at the top, and returns its id. Returns that of the existing folder when it runs
 * twice, or when another client creates the folder at the same time.
 */
export const ensureFolder = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  wanted: { readonly displayName: string; readonly type: string; readonly parentId?: string },
): Promise<{ id: string; created: boolean }> => {
  const { parentId, displayName, type } = wanted;
  const target =
    parentId === undefined ? `${mailboxPath(mailbox)}/folders` : `${folderPath(mailbox, parentId)}/childFolders`;
  const existing = async (): Promise<string | undefined> => {
    const request = { operation: "GET childFolders", target: `${target}?$top=${PAGE_ITEMS}` };
    for await (const folder of fetchAll(graph, request, FolderResource)) {
      const here = parentId === undefined || folder.parentFolderId === parentId;
      if (here && sameName(folder.displayName ?? "", displayName)) return folder.id;
    }
    return undefined;
  };
  const found = await existing();
  if (found !== undefined) return { id: found, created: false };
  try {
    const request = { operation: "POST folders", target, method: "POST" as const, body: { displayName, type } };
    return { id: (await fetchElement(graph, request, FolderResource)).id, created: true };
  } catch (error) {
    const rival = hasCode(error, "ErrorFolderExists") ? await existing() : undefined;
    if (rival === undefined) throw error;
    return { id: rival, created: false };
  }
};

/** Exchange compares folder names without regard to case. */
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Deletes a folder with its content; does nothing when the folder does not exist. */
export const removeFolder = async (graph: GraphClient, mailbox: MailboxAddress, folderId: string): Promise<void> => {
  const target = `${folderPath(mailbox, folderId)}/$ref`;
  try {
    await graph.json({ operation: "DELETE folder", target, method: "DELETE" }, z.unknown());
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
