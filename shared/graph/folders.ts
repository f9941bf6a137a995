import { createHash } from "node:crypto";
import * as z from "zod";
import { allOf } from "../bounded.ts";
import { PAGE_ITEMS } from "../contracts/limits.ts";
import { ExtendedProperty, FOLDER_EXPAND, isSearchFolder } from "./extended-properties.ts";
import type { GraphClient } from "./graph-client.ts";
import { GraphError, hasCode, isNotFound } from "./graph-error.ts";
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
  singleValueExtendedProperties: z.array(ExtendedProperty).nullish(),
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
  /** What is in it are links to items of other folders. */
  readonly isSearch?: true;
}

/** The container class of a folder whose `type` is missing. Source: MS-OXOSFLD 2.2.1. */
const DEFAULT_TYPE = "IPF.Note";

/** A display name as a path segment: `/` and `%` are escaped. */
export const pathSegment = (displayName: string): string => displayName.replaceAll("%", "%25").replaceAll("/", "%2F");

const LISTING = `$top=${PAGE_ITEMS}`;

const WITH_TYPE = `$expand=${encodeURIComponent(FOLDER_EXPAND)}`;

/** Documented since 2026-08, and seen in use before. */
const WITH_HIDDEN = `${LISTING}&includeHiddenFolders=true`;

/** The ways to list folders, the most telling first, and what is lost where Graph refuses those before. */
const WAYS: readonly { readonly query: string; readonly lost?: string }[] = [
  { query: `${WITH_HIDDEN}&${WITH_TYPE}` },
  { query: WITH_HIDDEN, lost: "Graph refuses to tell the type of folders" },
  { query: `${LISTING}&${WITH_TYPE}`, lost: "Graph refuses to list hidden folders" },
  { query: LISTING, lost: "Graph refuses to list hidden folders, and to tell the type of folders" },
];

/** Folders as listings show them. */
export interface ListedFolders {
  readonly shown: Map<string, FolderResource>;
  /** Those that were gone when they were asked for their children. */
  readonly vanished: ReadonlySet<string>;
}

/**
 * Lists the folders below some, or all of a mailbox, level by level; those of one level at the same time, within the
 * client's slots. Of a folder that is shown twice, as when it is moved meanwhile, the later facts count. A folder is
 * asked for its children unless it is known to have none. After each level but the last, `found` is called with what
 * is shown so far. What is odd is told.
 */
export const listBelow = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  parents: readonly (string | undefined)[],
  tell: TellProblem,
  found: (shown: ReadonlyMap<string, FolderResource>) => void = () => undefined,
): Promise<ListedFolders> => {
  const childrenOf = folderLister(graph, mailbox, tell);
  const shown = new Map<string, FolderResource>();
  const vanished = new Set<string>();
  const asked = new Set<string>();
  const askOne = async (parent: string | undefined): Promise<FolderResource[]> => {
    if (parent === undefined) return childrenOf();
    asked.add(parent);
    try {
      return await childrenOf(parent);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      vanished.add(parent);
      return [];
    }
  };
  let level = allOf(parents.map(askOne));
  for (;;) {
    const folders = (await level).flat();
    for (const folder of folders) shown.set(folder.id, mergeFolder(shown.get(folder.id), folder));
    const next = folders.filter(({ id, childFolderCount }) => childFolderCount !== 0 && !asked.has(id));
    if (next.length === 0) return { shown, vanished };
    level = allOf([...new Set(next.map(({ id }) => id))].map(askOne));
    found(shown);
  }
};

/** Every folder of a mailbox, hidden ones too, parents before children, each once. What is odd is told. */
export const listFolders = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  tell: TellProblem = () => undefined,
): Promise<LiveFolder[]> => {
  const { shown, vanished } = await listBelow(graph, mailbox, [undefined], tell);
  for (const id of vanished) shown.delete(id);
  return folderTree(shown, tell);
};

/**
 * Lists the children of a folder, or the top of the mailbox, hidden folders too. Where Graph refuses a way to ask, it
 * is asked in the next one from then on, and what is lost is told once.
 */
const folderLister = (graph: GraphClient, mailbox: MailboxAddress, tell: TellProblem = () => undefined) => {
  let ways = WAYS;
  const ask = async (path: string, query: string): Promise<FolderResource[]> => {
    const folders: FolderResource[] = [];
    const request = { operation: "GET folders", target: `${path}?${query}` };
    for await (const folder of fetchAll(graph, request, FolderResource, tell)) folders.push(folder);
    return folders;
  };
  const askIn = async (path: string, [way, ...others]: typeof WAYS): Promise<FolderResource[]> => {
    try {
      return await ask(path, way?.query ?? LISTING);
    } catch (error) {
      if (!isBadRequest(error) || others.length === 0) throw error;
    }
    const folders = await askIn(path, others);
    if (ways.length > others.length) {
      ways = others;
      tell({ what: others[0]?.lost ?? "" });
    }
    return folders;
  };
  return (parentId?: string): Promise<FolderResource[]> =>
    askIn(
      parentId === undefined ? `${mailboxPath(mailbox)}/folders` : `${folderPath(mailbox, parentId)}/childFolders`,
      ways,
    );
};

/** A folder, by its id or well-known name. @throws {GraphError} 404 when it is not there. */
export const findFolder = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  idOrName: string,
  tell: TellProblem = () => undefined,
): Promise<FolderResource> => {
  const target = folderPath(mailbox, idOrName);
  const ask = (query: string) =>
    fetchElement(graph, { operation: "GET folder", target: `${target}${query}` }, FolderResource, tell);
  try {
    return await ask(`?${WITH_TYPE}`);
  } catch (error) {
    if (!isBadRequest(error)) throw error;
    return ask("");
  }
};

const isBadRequest = (error: unknown): boolean => error instanceof GraphError && error.status === 400;

/**
 * What is known of a folder, with what a later answer shows of it. That may be no more than what changed. Null means
 * that Graph does not tell: no folder loses its name or parent.
 */
export const mergeFolder = (known: FolderResource | undefined, shown: FolderResource): FolderResource => {
  const told = Object.entries(shown).filter(
    ([name, value]) => value !== undefined && (value !== null || !known?.[name]),
  );
  return { ...known, ...Object.fromEntries(told), id: shown.id };
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
    ...(isSearchFolder(resource.singleValueExtendedProperties ?? []) ? { isSearch: true } : {}),
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
  const childrenOf = folderLister(graph, mailbox);
  const existing = async (): Promise<string | undefined> => {
    const folders = await childrenOf(parentId);
    const shown = new Set(folders.map(({ id }) => id));
    // A list may show folders from further below, too. Where Graph tells no parent, or an odd one, the list is right.
    const isHere = ({ id, parentFolderId }: FolderResource): boolean =>
      parentFolderId === id || !shown.has(parentFolderId ?? "");
    const here = folders.filter(isHere);
    return here.find((folder) => sameName(folder.displayName ?? "", displayName))?.id;
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

/**
 * Deletes a folder with its content; does nothing when the folder does not exist. Needs MailboxFolder.ReadWrite.
 * Whether it goes to Deleted Items is not documented. Source: learn.microsoft.com/graph/api/mailbox-delete-folders
 * (2026-02).
 */
export const removeFolder = async (graph: GraphClient, mailbox: MailboxAddress, folderId: string): Promise<void> => {
  const target = `${folderPath(mailbox, folderId)}/$ref`;
  try {
    await graph.json({ operation: "DELETE folder", target, method: "DELETE" }, z.unknown());
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
