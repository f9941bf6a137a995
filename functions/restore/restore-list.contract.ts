import * as z from "zod";
import { RunId } from "../../shared/contracts/ids.ts";
import { PartFailure } from "../../shared/contracts/part.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { orAway } from "../../shared/durable/outages.ts";
import { Wait } from "../../shared/durable/waits.ts";
import { RestoreOrder } from "./restore.contract.ts";

const Count = z.int().nonnegative();

/** Most restores in a list. Our own choice. */
export const MAX_RESTORES = 1_000;

/** A restore of a list: the input that its orchestrator starts with. */
export const ListedRestore = RestoreOrder;
export type ListedRestore = z.output<typeof ListedRestore>;

/** Where a place of the window stands: the position of a mailbox in the list, and of a restore into that mailbox. */
export const ListPosition = z.object({ mailbox: Count, restore: Count });
export type ListPosition = z.output<typeof ListPosition>;

/** What restores did, or a dry run would do: numbers of items, and the raw bytes of the items to import. */
export const RestoredItems = z.object({
  /** Items to import, with any outcome. */
  planned: Count,
  imported: Count,
  replaced: Count,
  present: Count,
  ambiguous: Count,
  failed: Count,
  missing: Count,
  bytes: Count,
  surplus: Count.default(0),
});
export type RestoredItems = z.output<typeof RestoredItems>;

/** Restores by outcome, why some failed, and what all of them did. `partial`: at least one item did not come back. */
export const RestoreOutcomes = z.object({
  complete: Count,
  partial: Count,
  failed: Count,
  failures: z.array(PartFailure),
  items: RestoredItems,
  /** Why it ended before all restores were taken. */
  stopped: z.object({ reason: z.literal("cancelled") }).optional(),
});
export type RestoreOutcomes = z.output<typeof RestoreOutcomes>;

/** What a place of the window has come to, before one of its turns. */
export const RestoreTurn = z.object({ turn: Count, at: ListPosition.optional(), outcomes: RestoreOutcomes });
export type RestoreTurn = z.output<typeof RestoreTurn>;

/**
 * Takes the next restore into the mailbox that a place is at, or else the first restore into the next mailbox.
 */
export const takeRestore = defineActivity({
  name: "take-restore",
  input: RestoreTurn.extend({ listId: RunId, place: Count }),
  output: orAway(
    z.object({
      taken: z.object({ restore: ListedRestore, at: ListPosition }).optional(),
      /** The restore is alive: the place that began it was lost. */
      isAlive: z.literal(true).optional(),
    }),
  ),
  retry: { firstIntervalMs: 10_000, attempts: 5, backoff: 2 },
});

/** What the places of a window have come to: nothing for those that are filled for the first time. */
export const findRestorePlaces = defineActivity({
  name: "find-restore-places",
  input: z.object({ listId: RunId, places: Count }),
  output: z.object({ turns: z.array(RestoreTurn) }),
  retry: { firstIntervalMs: 10_000, attempts: 5, backoff: 2 },
});

/** One place of the window: runs restores of a list, one after the other. */
export const RestoreInTurnInput = RestoreTurn.extend({
  listId: RunId,
  place: Count,
  /** What it has waited for since it last did something. */
  wait: Wait.optional(),
});
export type RestoreInTurnInput = z.output<typeof RestoreInTurnInput>;

export const RestoreMailboxesInput = z.object({
  listId: RunId,
  restores: z.int().positive(),
  /** Mailboxes to restore into, each counted once. Absent until the restores are looked up. */
  mailboxes: z.int().positive().optional(),
  /** Mailboxes that are restored into at the same time. */
  window: z.int().positive(),
  /** How often its places were lost, and filled again. */
  lost: Count.optional(),
  /** Set when a generation goes on looking them up: the first one that is left, and what it has waited for. */
  resolving: z.object({ next: Count, wait: Wait.optional() }).optional(),
});
export type RestoreMailboxesInput = z.output<typeof RestoreMailboxesInput>;
