import type { OrchestrationContext, Task } from "durable-functions";
import * as z from "zod";
import { type ActivityContract, call } from "./activity.ts";
import { awaitEvent } from "./await-event.ts";
import { type Away, isAway, isTold, type Told } from "./outages.ts";
import { inFull, momentIn, msUntil } from "./pause.ts";

/** Raised for a job that waits, when what it may wait for has changed. It says nothing: the job looks for itself. */
export const WAKE = "wake";

/**
 * What a job waits for. `service`: Graph or storage is away. `limits`: a mailbox may be asked no more for a while, or
 * an answer is still to show. `slots`: its share of a mailbox's slots. `mailbox`: a mailbox for itself.
 */
export const WaitReason = z.enum(["service", "limits", "slots", "mailbox"]);
export type WaitReason = z.output<typeof WaitReason>;

/** A wait that goes on over generations: for what, since when, and how often it has waited. */
export const Wait = z.object({ for: WaitReason, since: z.iso.datetime(), times: z.int().positive() });
export type Wait = z.output<typeof Wait>;

/** The job that another one waits for. */
export const Behind = z.object({
  job: z.string().min(1),
  /** Jobs that come before the one that waits, with that job. */
  ahead: z.int().nonnegative(),
  /** When that job expects to end, from now; absent while it cannot know. */
  seconds: z.int().nonnegative().optional(),
});
export type Behind = z.output<typeof Behind>;

/** What a job waits for now, as its status shows it, and until when unless that comes sooner. */
export const Waiting = Behind.partial().extend({ for: WaitReason, until: z.iso.datetime() });
export type Waiting = z.output<typeof Waiting>;

/** The first wait where nobody names one, doubled each time up to the longest. Our own choices. */
const LENGTHS: Readonly<Record<WaitReason, { readonly firstMs: number; readonly longestMs: number }>> = {
  service: { firstMs: 5_000, longestMs: 15 * 60_000 },
  limits: { firstMs: 0, longestMs: 0 },
  slots: { firstMs: 1_000, longestMs: 30_000 },
  mailbox: { firstMs: 2_000, longestMs: 30_000 },
};

/** An outage that lasts longer ends the work: by then somebody should have looked. Our own choice. */
const MAX_OUTAGE_MS = 7 * 24 * 60 * 60_000;

/**
 * The work of a generation cannot go on now. Another generation goes on with it after a wait, so that waiting for days
 * leaves a short history.
 */
export class BlockedError extends Error {
  override readonly name = "BlockedError";
  readonly reason: WaitReason;
  /** The wait that is asked for, in milliseconds; 0 when none is. */
  readonly askedMs: number;
  /** The job that it waits for, if that is known. */
  readonly behind: Behind | undefined;

  constructor(reason: WaitReason, askedMs = 0, behind?: Behind) {
    super(`The work waits for ${reason}`);
    this.reason = reason;
    this.askedMs = askedMs;
    this.behind = behind;
  }
}

/** The job was told to pause or to end. Another generation looks at what exactly. */
export class ToldError extends Error {
  override readonly name = "ToldError";
}

/** Calls an activity. @throws {BlockedError | ToldError} when it answers that it cannot or must not go on now. */
export function* callOrBlock<I extends z.ZodType, O extends z.ZodType>(
  context: OrchestrationContext,
  activity: ActivityContract<I, O>,
  input: z.input<I>,
): Generator<Task, Exclude<z.output<O>, Away | Told>, unknown> {
  const answer = yield* call(context, activity, input);
  if (isAway(answer)) throw new BlockedError("service", answer.awayMs);
  if (isTold(answer)) throw new ToldError("The job was told to do something else");
  return answer as Exclude<z.output<O>, Away | Told>;
}

/** A wait that is about to begin. */
export interface NextWait {
  readonly wait: Wait;
  readonly waiting: Waiting;
}

const AWAY_SINCE = "Graph or storage has been away since";

/** The wait after `earlier`: longer when it is for the same reason. @throws {Error} when an outage lasts too long. */
export const nextWait = (
  context: OrchestrationContext,
  earlier: Wait | undefined,
  { reason, askedMs, behind }: BlockedError,
): NextWait => {
  const { since, times } = earlier?.for === reason ? earlier : { since: momentIn(context, 0), times: 0 };
  if (reason === "service" && -msUntil(context, since) > MAX_OUTAGE_MS)
    throw new Error(`${AWAY_SINCE} ${since}: start the work again once they answer`);
  const { firstMs, longestMs } = LENGTHS[reason];
  const ms = Math.max(inFull(askedMs), Math.min(longestMs, firstMs * 2 ** Math.min(times, 20)));
  return {
    wait: { for: reason, since, times: times + 1 },
    waiting: { for: reason, until: momentIn(context, ms), ...behind },
  };
};

/** Whether the reason of a failure is an outage. A failure crosses the task hub as its text alone. */
export const tellsOfOutage = (reason: string): boolean =>
  reason.includes(AWAY_SINCE) || /Graph (did not answer|answered (408|429|502|503|504|509)\b)/.test(reason);

/**
 * Sleeps until a moment, or until the job is woken. Only at the end of a generation, and once in it: see `awaitEvent`.
 * What woke it may have been meant for an earlier wait, so the next generation looks at everything again.
 */
export function* sleep(context: OrchestrationContext, until: string): Generator<Task, void, unknown> {
  yield* awaitEvent(context, WAKE, Math.max(0, msUntil(context, until)));
}

/**
 * Does a generation's work. Where that is blocked, it waits as its last act, after `show`; the next generation is to go
 * on with the `wait` that it leaves in `run`. Returns `undefined` then.
 *
 * @throws the errors of the work, and {Error} when an outage lasts too long.
 */
export function* orWait<T>(
  context: OrchestrationContext,
  run: { wait: Wait | undefined },
  work: Generator<Task, T, unknown>,
  show: (waiting: Waiting) => void,
): Generator<Task, T | undefined, unknown> {
  try {
    return yield* work;
  } catch (error) {
    if (!(error instanceof BlockedError)) throw error;
    const { wait, waiting } = nextWait(context, run.wait, error);
    run.wait = wait;
    show(waiting);
    yield* sleep(context, waiting.until);
    return undefined;
  }
}
