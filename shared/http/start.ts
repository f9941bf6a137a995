import { createHash, randomUUID } from "node:crypto";
import { type RunId, runId } from "../contracts/ids.ts";

/** What a call that starts a job names it by: the same for each repetition of a call with the same Idempotency-Key. */
export interface Start {
  /** When the call was first made. */
  readonly at: Date;
  readonly guid: string;
  /** Whether it has a key, so that another call may have started its job, or be about to. */
  readonly hasKey: boolean;
}

/** Of a call that no other one repeats. */
export const newStart = (): Start => ({ at: new Date(), guid: randomUUID(), hasKey: false });

/** The id of the job; of several jobs, of the one at a position. They are a millisecond apart, so that they sort. */
export const startedId = ({ at, guid }: Start, position = 0): RunId =>
  runId(
    new Date(at.getTime() + position),
    position === 0 ? guid : createHash("sha256").update(`${guid} ${position}`).digest("hex"),
  );
