import * as z from "zod";
import type { Ledgers } from "../upload/ledger.ts";

const ItemPosition = z.object({ item: z.int().nonnegative() });

/**
 * What an undo did, or was about to do, with item `item` of a chunk of the restore. An `intent` is written before the
 * item is deleted. `gone`: it was not there. `unchanged`: it is as it was imported, and was left since the undo is a
 * dry run or the app may not delete items. `changed`: it is another version than the imported one, or `code` says why
 * that is not known. `none`: no import of it was found.
 */
export const UndoEntry = z.discriminatedUnion("op", [
  ItemPosition.extend({ op: z.literal("intent") }),
  ItemPosition.extend({ op: z.literal("deleted") }),
  ItemPosition.extend({ op: z.literal("gone") }),
  ItemPosition.extend({ op: z.literal("unchanged") }),
  ItemPosition.extend({ op: z.literal("changed"), code: z.string().optional() }),
  ItemPosition.extend({ op: z.literal("refused"), code: z.string() }),
  ItemPosition.extend({
    op: z.literal("ambiguous"),
    code: z.string().optional(),
    lookAt: z.array(z.string()).optional(),
  }),
  ItemPosition.extend({ op: z.literal("none") }),
]);
export type UndoEntry = z.output<typeof UndoEntry>;

/** How an item ended. */
export type UndoneItem = Exclude<UndoEntry, { op: "intent" }>;

export type UndoLedgers = Ledgers<UndoEntry>;

/**
 * How each item ended. One that is gone after its own intent was deleted by this undo: the answer was lost, or another
 * delivery met what this one had done.
 */
export const undoneItems = (entries: readonly UndoEntry[]): Map<number, UndoneItem> => {
  const intended = new Set<number>();
  const ends = new Map<number, UndoneItem>();
  for (const entry of entries) {
    if (entry.op === "intent") intended.add(entry.item);
    else if (ends.get(entry.item)?.op !== "deleted") {
      const { item } = entry;
      ends.set(item, entry.op === "gone" && intended.has(item) ? { op: "deleted", item } : entry);
    }
  }
  return ends;
};
