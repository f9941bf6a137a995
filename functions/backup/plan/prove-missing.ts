import { mapBounded } from "../../../shared/bounded.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import { isNotFound } from "../../../shared/graph/graph-error.ts";
import { findItem, type LiveItem } from "../../../shared/graph/items.ts";
import type { ItemFacts } from "../../../shared/vault/records.ts";
import { unlessRefused } from "./enrich.ts";
import { isNew, type StepContext, see } from "./plan-steps.ts";
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

/** Where Graph refuses to list, the items are left to be looked up. */
const listAgain = async (context: StepContext, missing: Set<string>): Promise<void> => {
  let link: string | undefined;
  do {
    const page = await unlessRefused(() => context.pages.list(context.folder.id, link));
    if (page === undefined) return;
    for (const item of page.value) {
      if (!missing.delete(item.id)) continue;
      see(context, item.id);
      await plan(context, item);
    }
    link = page.nextLink;
  } while (link !== undefined);
};

const lookUp = async ({ graph, mailbox, folder }: StepContext, id: string): Promise<LiveItem | "gone" | "unclear"> => {
  const answer = await unlessRefused(async () => {
    try {
      return await findItem(graph, mailbox, folder.id, id);
    } catch (error) {
      if (isNotFound(error)) return "gone";
      throw error;
    }
  });
  return answer ?? "unclear";
};

const remove = ({ planned, draft, folder }: StepContext, id: string): void => {
  planned.remove(id);
  draft.events.push({ op: "removed", id, folderId: folder.id, reason: "deleted" });
};

const plan = async (context: StepContext, item: LiveItem): Promise<void> => {
  if (await isNew(context, item)) context.draft.items.push(item);
};
