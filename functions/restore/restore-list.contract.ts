import * as z from "zod";
import { RunId } from "../../shared/contracts/ids.ts";
import { PartFailure } from "../../shared/contracts/part.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { RestoreMailboxInput } from "./restore.contract.ts";

const Count = z.int().nonnegative();

/** Restores in a list. Our own choice: what it takes to look all of them up fits the time that an HTTP call may take. */
export const MAX_RESTORES = 1_000;

/** A restore of a list, as it will be started. */
export const ListedRestore = RestoreMailboxInput.omit({ resume: true });
export type ListedRestore = z.output<typeof ListedRestore>;

/** Where a place in the window is: which of the mailboxes to fill, and which of the restores into that. */
export const ListPosition = z.object({ mailbox: Count, restore: Count });
export type ListPosition = z.output<typeof ListPosition>;

/** Takes the next restore into the mailbox that a place is at or, when there is none, the first into the next mailbox. */
export const takeRestore = defineActivity({
  name: "take-restore",
  input: z.object({ listId: RunId, place: Count, turn: Count, at: ListPosition.optional() }),
  output: z.object({ taken: z.object({ restore: ListedRestore, at: ListPosition }).optional() }),
  retry: { firstIntervalMs: 10_000, attempts: 5, backoff: 2 },
});

/** What restores did, or a dry run of them would: items, and the raw bytes of what was imported or would be. */
export const RestoredItems = z.object({
  /** Items to import, whatever became of them. */
  planned: Count,
  imported: Count,
  replaced: Count,
  present: Count,
  ambiguous: Count,
  failed: Count,
  missing: Count,
  bytes: Count,
});
export type RestoredItems = z.output<typeof RestoredItems>;

/** How many restores ended how, why some failed, and what all did. `partial` are those that some item is not back of. */
export const RestoreOutcomes = z.object({
  complete: Count,
  partial: Count,
  failed: Count,
  failures: z.array(PartFailure),
  items: RestoredItems,
});
export type RestoreOutcomes = z.output<typeof RestoreOutcomes>;

/** One place in the window: restores mailboxes of a list, one after the other. */
export const RestoreInTurnInput = z.object({
  listId: RunId,
  place: Count,
  turn: Count,
  at: ListPosition.optional(),
  outcomes: RestoreOutcomes,
});
export type RestoreInTurnInput = z.output<typeof RestoreInTurnInput>;

export const RestoreMailboxesInput = z.object({
  listId: RunId,
  restores: z.int().positive(),
  /** Mailboxes to fill: those that several restores are into count once. */
  mailboxes: z.int().positive(),
  /** Mailboxes that are filled at the same time. */
  window: z.int().positive(),
});
export type RestoreMailboxesInput = z.output<typeof RestoreMailboxesInput>;
