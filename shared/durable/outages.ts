import type { OrchestrationContext } from "durable-functions";
import * as z from "zod";
import { momentIn, msUntil } from "./pause.ts";

/** The first wait where nobody names one, doubled each time up to the longest. Our own choice. */
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 15 * 60_000;

/** An outage that lasts longer ends the work: by then somebody should have looked. Our own choice. */
const MAX_OUTAGE_MS = 7 * 24 * 60 * 60_000;

/** What an activity returns when Graph or storage is away: nothing is done that a repeat would spoil. */
export const Away = z.object({
  /** The wait that the service asks for; 0 when it names none. */
  awayMs: z.int().nonnegative(),
});
export type Away = z.output<typeof Away>;

/** The output of an activity that does not fail in an outage. */
export const orAway = <O extends z.ZodType>(output: O) => z.union([Away, output]);

export const isAway = (output: unknown): output is Away =>
  typeof output === "object" && output !== null && "awayMs" in output;

/** An outage that an orchestration waits for: since when, and how often it has waited. */
export const Outage = z.object({ since: z.iso.datetime(), waits: z.int().positive() });
export type Outage = z.output<typeof Outage>;

const AWAY_SINCE = "Graph or storage has been away since";

/** Whether the reason of a failure is an outage. A failure crosses the task hub as its text alone. */
export const tellsOfOutage = (reason: string): boolean =>
  reason.includes(AWAY_SINCE) || /Graph (did not answer|answered (408|429|502|503|504|509)\b)/.test(reason);

/** How long to wait next in an outage, and that outage with this wait. @throws {Error} when it lasts too long. */
export const nextWait = (
  context: OrchestrationContext,
  outage: Outage | undefined,
  askedMs: number,
): { waitMs: number; outage: Outage } => {
  const { since, waits } = outage ?? { since: momentIn(context, 0), waits: 0 };
  if (-msUntil(context, since) > MAX_OUTAGE_MS)
    throw new Error(`${AWAY_SINCE} ${since}: start the work again once they answer`);
  const grown = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(waits, 20));
  return { waitMs: Math.max(askedMs, grown), outage: { since, waits: waits + 1 } };
};
