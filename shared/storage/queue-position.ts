import * as z from "zod";
import { type Blobs, updateJson } from "./blobs.ts";

const Count = z.int().nonnegative();

/** The positions taken so far, and the last turn of each consumer. */
const Turns = z.object({ taken: Count, last: z.record(z.string(), z.object({ turn: Count, index: Count })) });
type Turns = z.output<typeof Turns>;

const NONE: Turns = { taken: 0, last: {} };

/**
 * Takes the next position of a queue, which may lie beyond its end. Each consumer numbers its turns upwards; they are
 * kept in the blob `name`.
 *
 * A turn that is asked for again gets the same position. A turn that is asked for again after a later one takes no new
 * position: no one waits for that result any more, so the work at that position would never be done.
 */
export const takePosition = async (work: Blobs, name: string, consumer: number, turn: number): Promise<number> => {
  const turns = await updateJson(work, name, Turns, (current = NONE) =>
    turn <= (current.last[consumer]?.turn ?? -1)
      ? current
      : { taken: current.taken + 1, last: { ...current.last, [consumer]: { turn, index: current.taken } } },
  );
  return turns.last[consumer]?.index ?? 0;
};
