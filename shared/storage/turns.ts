import * as z from "zod";
import { type Blobs, updateJson } from "./blobs.ts";

const Count = z.int().nonnegative();

/** Who took which position of a queue last. */
const Turns = z.object({ taken: Count, last: z.record(z.string(), z.object({ turn: Count, index: Count })) });
type Turns = z.output<typeof Turns>;

const NOBODY: Turns = { taken: 0, last: {} };

/**
 * The next position of a queue for a taker's turn, whether or not the queue is as long. Turns of one taker are numbered
 * upwards, and kept under `name`.
 *
 * Asked for again, a turn gets the same position. One that is asked for again after a later one takes none: nobody waits for
 * that answer any more, and what it took would be left undone.
 */
export const takeTurn = async (work: Blobs, name: string, taker: number, turn: number): Promise<number> => {
  const turns = await updateJson(work, name, Turns, (current = NOBODY) =>
    turn <= (current.last[taker]?.turn ?? -1)
      ? current
      : { taken: current.taken + 1, last: { ...current.last, [taker]: { turn, index: current.taken } } },
  );
  return turns.last[taker]?.index ?? 0;
};
