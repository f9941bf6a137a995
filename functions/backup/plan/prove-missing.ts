import { hasFolder } from "../../../shared/graph/folders.ts";
import type { LiveItem } from "../../../shared/graph/items.ts";
import { lookUpAll, unlessRefused } from "./look-up.ts";
import { isNew, remove, type StepContext, see } from "./plan-steps.ts";
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
 * @throws {GraphError} when Graph throttles beyond the budget.
 */
export const proveMissing = async (
  context: StepContext,
  stored: AsyncIterable<string>,
  planned: AsyncIterable<{ readonly id: string }>,
): Promise<Proof> => {
  const missing = new Set<string>();
  const addUnseen = (id: string): void => {
    if (!context.planned.saw(shortHash(id))) missing.add(id);
  };
  if (!context.planned.sawAllPlanned) for await (const { id } of planned) addUnseen(id);
  for await (const id of stored) addUnseen(id);

  if (missing.size > MAX_LOOK_UPS) await listAgain(context, missing);
  const found = await lookUpAll(context, [...missing]);
  const items = [...found.values()];
  const { graph, mailbox, folder } = context;
  if (items.includes("gone") && !(await hasFolder(graph, mailbox, folder.id))) return "folder-gone";

  for (const [id, item] of found) {
    if (item === "unclear") continue;
    see(context, id);
    if (item === "gone") remove(context, id, "deleted");
    else await plan(context, item);
  }
  return items.includes("unclear") ? "unclear" : "whole";
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

const plan = async (context: StepContext, item: LiveItem): Promise<void> => {
  if (await isNew(context, item)) context.draft.items.push(item);
};
