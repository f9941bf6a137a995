import * as z from "zod";
import { RunId } from "../../../shared/contracts/ids.ts";
import { defineActivity } from "../../../shared/durable/activity.ts";
import { orAway } from "../../../shared/durable/outages.ts";

const Count = z.int().nonnegative();

/** Outages are waited for by the orchestrator; this covers crashes. */
const RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** Looks up restores of a list from a position on, until its page or the time is over; `next`: the first one left. */
export const resolveRestores = defineActivity({
  name: "resolve-restores",
  input: z.object({ listId: RunId, from: Count }),
  output: orAway(z.object({ next: z.int().positive() })),
  retry: RETRY,
});

/** Most refusals that a job's result has. The report has all. A status holds 16 KB. */
export const MAX_SHOWN = 10;

/** What a job shows of a restore that cannot start: nothing that the caller wrote. */
const ShownRefusal = z.object({
  position: Count,
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
});

/** Why a list is refused: the first restores that cannot start, and how many there are. */
export const Refusal = z.object({ refused: z.array(ShownRefusal).min(1).max(MAX_SHOWN), count: z.int().positive() });
export type Refusal = z.output<typeof Refusal>;

/** Writes the audit log, and puts the restores into their order; `mailboxes` are those to restore into. */
export const arrangeRestores = defineActivity({
  name: "arrange-restores",
  input: z.object({ listId: RunId }),
  output: orAway(z.union([z.object({ mailboxes: z.int().positive() }), Refusal])),
  retry: RETRY,
});
