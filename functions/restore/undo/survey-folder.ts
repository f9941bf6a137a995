import { hasFolder, type LiveFolder, listFolders, probeMailbox } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import { type LiveItem, listItems } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { type Page, type Round, startRound } from "../../../shared/graph/page.ts";
import type { ServerClock } from "../../../shared/graph/server-clock.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { TOP_FOLDER_ID } from "../plan/target-folders.ts";
import { findFolderMap, readRestorePlan } from "../restore-state.ts";
import type { Undo } from "./undo.contract.ts";
import { findTree, keepPage, keepTree, lastPage, type SurveyedTree, type SurveyPage } from "./undo-state.ts";

interface Deps {
  readonly graph: GraphClient;
  readonly work: Blobs;
  /** Of the client's answers. */
  readonly clock: ServerClock;
}

/** Deleted Items, by the name that all languages share. */
const DELETED_ITEMS = "deleteditems";

/** The folder that a restore made for itself, and what lies below it; nothing when it is not there. */
export const readTree = async (
  { graph, work, clock }: Deps,
  { restoreId, mailbox }: Pick<Undo, "restoreId" | "mailbox">,
): Promise<SurveyedTree> => {
  if (clock.now() === undefined) await probeMailbox(graph, mailbox);
  const at = new Date(clock.now() ?? Date.now()).toISOString();
  const map = await findFolderMap(work, restoreId);
  const live = await listFolders(graph, mailbox);
  const { displayName } = await topOf(work, restoreId);
  const id = map?.[TOP_FOLDER_ID];
  // A restore that ended while it made its folders has no map. Nobody else has a folder of its name.
  const top = live.find((folder) =>
    id === undefined ? folder.parentId === undefined && folder.displayName === displayName : folder.id === id,
  );
  if (top === undefined || isDeleted(top, live)) {
    if (top === undefined && id !== undefined) await expectGone(graph, mailbox, id);
    return { at, folders: [], strange: [] };
  }
  const tree = live.filter((folder) => linesOf(folder, live).some((above) => above.id === top.id));
  const made = new Set(map === undefined ? tree.map((folder) => folder.id) : Object.values(map));
  return {
    at,
    folderId: top.id,
    folders: tree.map((folder) => ({ id: folder.id, items: folder.itemCount })),
    strange: tree.filter((folder) => !made.has(folder.id)).map((folder) => folder.id),
  };
};

/** The new top folder in the plan of a restore. */
export const topOf = async (work: Blobs, restoreId: Undo["restoreId"]): Promise<{ readonly displayName: string }> => {
  const { folders } = await readRestorePlan(work, restoreId);
  const top = folders.find(({ sourceId }) => sourceId === TOP_FOLDER_ID);
  if (top === undefined) throw new Error(`Restore ${restoreId} made no folder of its own`);
  return top;
};

/** A folder, its parent, and so on up to the top. */
const linesOf = (folder: LiveFolder, live: readonly LiveFolder[]): LiveFolder[] => {
  const byId = new Map(live.map((each) => [each.id, each]));
  const line: LiveFolder[] = [];
  for (let next: LiveFolder | undefined = folder; next !== undefined; next = byId.get(next.parentId ?? ""))
    line.push(next);
  return line;
};

const isDeleted = (folder: LiveFolder, live: readonly LiveFolder[]): boolean =>
  linesOf(folder, live).some(({ wellKnownName }) => wellKnownName === DELETED_ITEMS);

/** A listing that does not show a folder is no proof that it is gone. */
const expectGone = async (graph: GraphClient, mailbox: MailboxAddress, id: string): Promise<void> => {
  if (await hasFolder(graph, mailbox, id)) throw new Error("A folder is there, but no listing shows it: try again");
};

/**
 * Goes on with a survey until it is whole or time is up. Its pages are kept, so that it is continued after a crash. Run
 * twice, the pages that were kept first stand.
 */
export const goOnSurveying = async (
  deps: Deps,
  { undoId, restoreId, mailbox, survey }: Undo & { readonly survey: number },
  deadline: number,
): Promise<Surveyed> => {
  const { graph, work } = deps;
  const tree =
    (await findTree(work, undoId, survey)) ??
    (await keepTree(work, undoId, survey, await readTree(deps, { restoreId, mailbox })));
  const { pages, last } = await lastPage(work, undoId, survey);
  let page = pages;
  let at = last?.at ?? Date.now();
  let next = last === undefined ? startOf(tree, 0) : last.next;
  let round = startRound("listing");
  for (let begun = 0; next !== null; begun += 1, page += 1) {
    if (begun > 0 && Date.now() >= deadline) return { tree, isWhole: false, at };
    const { folder }: { folder: number } = next;
    const read = await readPage(graph, mailbox, tree, next, round);
    ({ next, at } = await keepPage(work, undoId, { survey, page }, read));
    if (next?.folder !== folder) round = startRound("listing");
  }
  return { tree, isWhole: true, at };
};

/** A survey so far; `at`: when its last page was read. */
interface Surveyed {
  readonly tree: SurveyedTree;
  readonly isWhole: boolean;
  readonly at: number;
}

/** The most that the clocks of two of Exchange's servers may differ. Imports from before are told by their version. */
const SERVER_SKEW_MS = 60_000;

/**
 * Whether somebody changed an item of the tree since its survey began: one that was modified since, and is not as it
 * was imported. A filter that Graph refuses tells nothing.
 */
export const isTouched = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  { at, folders }: SurveyedTree,
  isAsImported: (item: Pick<LiveItem, "id" | "changeKey">) => boolean,
): Promise<boolean> => {
  const since = Date.parse(at) - SERVER_SKEW_MS;
  const modified = { from: new Date(since).toISOString(), to: new Date(since + DAY_MS).toISOString() };
  for (const { id } of folders) {
    const round = startRound("listing");
    let link: string | undefined;
    do {
      const page: Page<LiveItem> | undefined = await listItems(graph, mailbox, id, { modified, link }, round).catch(
        nothingIfRefused,
      );
      if (page?.value.some((item) => !isAsImported(item))) return true;
      link = page?.nextLink;
    } while (link !== undefined);
  }
  return false;
};

const nothingIfRefused = (error: unknown): undefined => {
  if (!(error instanceof GraphError) || error.status !== 400) throw error;
};

const DAY_MS = 24 * 3_600_000;

const startOf = ({ folders }: SurveyedTree, folder: number): SurveyPage["next"] =>
  folder < folders.length ? { folder } : null;

const readPage = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  tree: SurveyedTree,
  { folder, link }: NonNullable<SurveyPage["next"]>,
  round: Round,
): Promise<SurveyPage> => {
  const following = startOf(tree, folder + 1);
  try {
    const { value, nextLink } = await listItems(graph, mailbox, tree.folders[folder]?.id ?? "", { link }, round);
    const items = value.map(({ id, changeKey }): [string, string] => [id, changeKey]);
    return { at: Date.now(), items, next: nextLink === undefined ? following : { folder, link: nextLink } };
  } catch (error) {
    // Somebody deleted it meanwhile.
    if (!isNotFound(error)) throw error;
    return { at: Date.now(), items: [], next: following };
  }
};
