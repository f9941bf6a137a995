import type { OrchestrationContext, Task } from "durable-functions";
import { msUntil } from "../../shared/durable/pause.ts";
import { orWait, sleep, type Wait, type Waiting } from "../../shared/durable/waits.ts";
import type { Generation } from "./generation.contract.ts";
import { heedWish } from "./heed-wish.steps.ts";

/** Steps in one generation: history is replayed for each result, so it must stay short. */
const STEPS_PER_GENERATION = 20;

/**
 * What a step has come to: the job's result, or what the next one goes on with, and when. A job that sleeps `orWoken`
 * goes on sooner when something wakes it.
 */
export type Step<S, R> =
  | { readonly result: R }
  | { readonly state: S; readonly sleep?: { readonly until: string; readonly orWoken?: true } };

/** What a job shows beside its counts while it does nothing. */
export interface Standing {
  readonly waiting?: Waiting;
  readonly paused?: true;
}

interface JobInSteps<S, R, C> {
  /** The jobs whose wishes it heeds: its own, and the one that it is a part of. */
  readonly jobs: readonly string[];
  readonly generation: Generation;
  readonly state: S;
  /** One call of an activity or of a part, and little beside it. */
  step(state: S): Generator<Task, Step<S, R>, unknown>;
  show(state: S, standing: Standing): void;
  /** The input of a generation that goes on from a state. */
  inputOf(state: S): object;
  /** The result of one that is cancelled in a state. */
  cancelled(state: S): C;
}

/**
 * Does a job in steps. Before each it looks at what it was told: one that is to pause sleeps, one that is cancelled
 * ends with what it has come to. It waits while storage is away. Another generation goes on after twenty steps, and
 * after each sleep.
 *
 * Returns `undefined` when another generation goes on.
 */
export function* inGenerations<S, R, C>(
  context: OrchestrationContext,
  job: JobInSteps<S, R, C>,
): Generator<Task, R | C | undefined, unknown> {
  const run: Run<S> = { state: job.state, wait: job.generation.wait, notBefore: job.generation.notBefore };
  const end = yield* orWait(context, run, steps(context, job, run), (waiting) => job.show(run.state, { waiting }));
  if (end !== undefined) return end.result;
  const { state, wait, notBefore } = run;
  const generation: Generation = { ...(wait && { wait }), ...(notBefore !== undefined && { notBefore }) };
  context.df.continueAsNew({ ...job.inputOf(state), ...generation });
  return undefined;
}

interface Run<S> {
  state: S;
  wait: Wait | undefined;
  notBefore: string | undefined;
}

function* steps<S, R, C>(
  context: OrchestrationContext,
  job: JobInSteps<S, R, C>,
  run: Run<S>,
): Generator<Task, { readonly result: R | C } | undefined, unknown> {
  for (let done = 0; done < STEPS_PER_GENERATION; done += 1) {
    const wish = yield* heedWish(context, job.jobs, () => job.show(run.state, { paused: true }));
    if (wish === "paused") return undefined;
    if (wish === "cancel") return { result: job.cancelled(run.state) };
    if (run.notBefore !== undefined && msUntil(context, run.notBefore) > 0) {
      yield* sleepUntil(context, job, run, run.notBefore);
      return undefined;
    }
    run.notBefore = undefined;
    job.show(run.state, {});
    const step = yield* job.step(run.state);
    run.wait = undefined;
    if ("result" in step) return step;
    run.state = step.state;
    if (step.sleep === undefined) continue;
    if (!step.sleep.orWoken) run.notBefore = step.sleep.until;
    yield* sleepUntil(context, job, run, step.sleep.until);
    return undefined;
  }
  return undefined;
}

/** The last act of a generation. */
function* sleepUntil<S, R, C>(
  context: OrchestrationContext,
  job: JobInSteps<S, R, C>,
  { state }: Run<S>,
  until: string,
): Generator<Task, void, unknown> {
  job.show(state, { waiting: { for: "limits", until } });
  yield* sleep(context, until);
}
