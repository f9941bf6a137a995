import { allOf } from "../../../shared/bounded.ts";
import { groupLedger } from "../upload/group-ledger.ts";
import type { Ledger } from "../upload/ledger.ts";
import type { BroughtItem } from "./imported-items.ts";
import { hasToBeExamined, type UndoContext, undoItem } from "./undo-item.ts";
import { type UndoEntry, type UndoneItem, undoneItems } from "./undo-ledger.ts";

/** One chunk of a wave. */
export interface ChunkWork extends Omit<UndoContext, "ledger" | "confirmHeld"> {
  readonly items: readonly BroughtItem[];
  readonly ledger: Ledger<UndoEntry>;
  /** Requests at the same time. */
  readonly lanes: number;
  /** Whether nothing more is to be begun. */
  isOver(): boolean;
  /** Called for each item that is settled. */
  settled(): void;
}

/** `ends`: of the items that have to be examined; `isDone`: all of them are settled. */
export interface ChunkEnd {
  readonly isDone: boolean;
  readonly ends: ReadonlyMap<number, UndoneItem>;
}

/**
 * Undoes the items of one chunk that are not settled yet, some at a time, and closes its ledger.
 *
 * @throws the error of a lane, but not before all lanes have ended: they use the mailbox's slots.
 */
export const undoChunk = async ({ items, ledger, lanes, isOver, settled, ...work }: ChunkWork): Promise<ChunkEnd> => {
  const ends = undoneItems(ledger.entries);
  const wanted = items.filter(hasToBeExamined);
  const queue = wanted.filter(({ item }) => !ends.has(item));
  const group = groupLedger(ledger);
  const context = { ...work, ledger: group, confirmHeld: ledger.confirmHeld };
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed && !isOver()) {
      const next = queue.shift();
      if (next === undefined) return;
      try {
        const end = await undoItem(context, next);
        if (end === undefined) return;
        group.note(end);
        ends.set(next.item, end);
        settled();
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  try {
    await allOf(Array.from({ length: lanes }, lane));
  } catch (error) {
    await group.close().catch(() => undefined);
    throw error;
  }
  await group.close();
  return { isDone: wanted.every(({ item }) => ends.has(item)), ends };
};
