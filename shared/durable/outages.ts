import * as z from "zod";

/** What an activity returns when Graph or storage is away: nothing is done that a repeat would spoil. */
export const Away = z.object({
  /** The wait that the service asks for; 0 when it names none. */
  awayMs: z.int().nonnegative(),
});
export type Away = z.output<typeof Away>;

/** What an activity returns when its job was told to pause or to end: it began nothing more. */
export const Told = z.object({ told: z.literal(true) });
export type Told = z.output<typeof Told>;

/** The output of an activity that does not fail in an outage, and that a wish may end early. */
export const orAway = <O extends z.ZodType>(output: O) => z.union([Away, Told, output]);

export const isAway = (output: unknown): output is Away =>
  typeof output === "object" && output !== null && "awayMs" in output;

export const isTold = (output: unknown): output is Told =>
  typeof output === "object" && output !== null && "told" in output && output.told === true;
