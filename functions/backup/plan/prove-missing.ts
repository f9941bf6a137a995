import { mapBounded } from "../../../shared/bounded.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import { findItem, type LiveItem } from "../../../shared/graph/items.ts";
import type { ItemFacts } from "../../../shared/vault/records.ts";
import type { StepContext } from "./plan-steps.ts";
import { shortHash } from "./planned-items.ts";

/** With more items missing than this, the folder is listed once more first: a page answers for a hundred of them. */
const MAX_LOOK_UPS = 100;

/** Whether each missing item was looked up with a clear answer. */
export type Proof = "whole" | "unclear" | "folder-gone";

/**
 * Settles the items of a folder that are stored or planned, and that its whole generation did not show. That alone
 * proves nothing: delta may be behind the listing, and a listing loses items when others are deleted meanwhile. So each
 * is looked up by its id. One that is not there was removed; one that is there is planned in the version that it has
 * now. When the folder itself is gone, nothing of it is removed: the next run no longer finds the folder.
 *
 * One request for each item, on the mailbox's slots. A batch of Graph would send four of them at a time on one slot.
 *
 * @throws {GraphError} when Graph throttles beyond the budget.
 */
export const proveMissing = async (
  context: StepContext,
  stored: AsyncIterable<string>,
  planned: AsyncIterable<ItemFacts>,
): Promise<Proof> => {
  const missing = new Set<string>();
  const addUnseen = (id: string): void => {
    if (!context.planned.saw(shortHash(id))) missing.add(id);
  };
  if (!context.planned.sawAllPlanned) for await (const { id } of planned) addUnseen(id);
  for await (const id of stored) addUnseen(id);

  if (missing.size > MAX_LOOK_UPS) await listAgain(context, missing);
  const found = await mapBounded([...missing], MAILBOX_SLOTS, async (id) => ({ id, item: await lookUp(context, id) }));
  const gone = found.filter(({ item }) => item === "gone");
  const { graph, mailbox, folder } = context;
  if (gone.length > 0 && !(await hasFolder(graph, mailbox, folder.id))) return "folder-gone";

  for (const { id, item } of found) {
    if (item === "unclear") continue;
    see(context, id);
    if (item === "gone") remove(context, id);
    else await plan(context, item);
  }
  return found.some(({ item }) => item === "unclear") ? "unclear" : "whole";
};

const listAgain = async (context: StepContext, missing: Set<string>): Promise<void> => {
  let link: string | undefined;
  do {
    const page = await context.pages.list(context.folder.id, link);
    for (const item of page.value) {
      if (!missing.delete(item.id)) continue;
      see(context, item.id);
      await plan(context, item);
    }
    link = page.nextLink;
  } while (link !== undefined);
};

const lookUp = async ({ graph, mailbox, folder }: StepContext, id: string): Promise<LiveItem | "gone" | "unclear"> => {
  try {
    return await findItem(graph, mailbox, folder.id, id);
  } catch (error) {
    if (isNotFound(error)) return "gone";
    if (error instanceof GraphError && error.status >= 400 && error.status !== 429) return "unclear";
    throw error;
  }
};

const see = ({ planned, draft, cursor }: StepContext, id: string): void => {
  const short = shortHash(id);
  if (planned.see(short)) draft.see(cursor.generation, short);
};

const remove = ({ planned, draft, folder }: StepContext, id: string): void => {
  planned.remove(id);
  draft.events.push({ op: "removed", id, folderId: folder.id, reason: "deleted" });
};

const plan = async ({ planned, catalogue, folder, draft }: StepContext, item: LiveItem): Promise<void> => {
  if (planned.plan(item) && !(folder.known && (await catalogue.holds(item)))) draft.items.push(item);
};
