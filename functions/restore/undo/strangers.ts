import { shortChangeKey } from "../../../shared/graph/change-key.ts";
import type { LiveItem } from "../../../shared/graph/items.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";
import type { Ledgers } from "../upload/ledger.ts";
import { readBrought } from "./imported-items.ts";
import type { Undo } from "./undo.contract.ts";
import { type FolderVerdict, type SurveyedTree, surveyPages } from "./undo-state.ts";

/** Ids that a verdict names. Our own choice. */
const MAX_NAMED = 20;

type Strangers = Pick<FolderVerdict, "strangeItems" | "changedItems" | "strangeFolders" | "lookAt">;

/**
 * What a surveyed folder holds beside what the restore brought: items that it did not import, imported ones that are
 * not as they were imported, or of which that is not known, and folders that it did not make.
 */
export const strangersIn = async (
  deps: { readonly work: Blobs; readonly ledgers: Ledgers },
  { undoId, restoreId, survey }: Pick<Undo, "undoId" | "restoreId"> & { readonly survey: number },
  { strange }: Pick<SurveyedTree, "strange">,
): Promise<{
  readonly strangers: Strangers;
  /** Whether an item is one that the restore imported, in the version of then. */
  readonly isAsImported: (item: Pick<LiveItem, "id" | "changeKey">) => boolean;
}> => {
  const known = itemSet();
  const unchanged = itemSet();
  const brought = await readBrought(deps, restoreId);
  for await (const { itemId: id, changeKey } of brought.imported()) {
    known.add({ folderId: "", id });
    if (changeKey !== undefined) unchanged.add({ folderId: shortChangeKey(changeKey), id });
  }
  const isAsImported = ({ id, changeKey }: Pick<LiveItem, "id" | "changeKey">): boolean =>
    unchanged.has({ folderId: shortChangeKey(changeKey), id });
  const found = {
    strangeItems: 0,
    changedItems: 0,
    strangeFolders: strange.length,
    lookAt: strange.slice(0, MAX_NAMED),
  };
  for await (const { items } of surveyPages(deps.work, undoId, survey))
    for (const [id, changeKey] of items) {
      if (isAsImported({ id, changeKey })) continue;
      if (known.has({ folderId: "", id })) found.changedItems += 1;
      else found.strangeItems += 1;
      if (found.lookAt.length < MAX_NAMED) found.lookAt.push(id);
    }
  return { strangers: found, isAsImported };
};
