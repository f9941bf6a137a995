import type { InvocationContext, TimerHandler } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { claimPart } from "../../shared/durable/claimed-starts.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { reasonOf } from "../../shared/durable/reason.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { begunAt, closeJob, findContinuations, findOpenJob, isLost, noteContinuation, openJobs } from "./open-jobs.ts";
import { partsBelow } from "./parts-below.ts";

/** Every five minutes. Our own choice. */
export const WATCH_SCHEDULE = "0 */5 * * * *";

/** Times in a day that a job is gone on with: what loses it more often is the job's own fault. Our own choice. */
const MOST_IN_A_DAY = 5;
const DAY_MS = 24 * 3_600_000;

/** A start that the task hub does not show yet. */
const STARTING_MS = 4 * 60_000;

interface WatchDeps {
  /** The client of the task hub as it is: a job that is gone on with keeps what it was told. */
  readonly clientOf: ClientOf;
  readonly state: Blobs;
}

/**
 * Goes on with jobs that the task hub has lost: it calls them failed, though they did not say that they fail, or does
 * not know them, though they were started. A turn whose process dies fails its instance for good: seen on the real host
 * with the Durable extension 3.19. Each goes on from the input of its last generation, once its parts have ended; its
 * steps find what they have done. Run twice at once, each is started once.
 *
 * @throws {AggregateError} the failures, after it has looked at every job.
 */
export const watchJobs =
  (deps: WatchDeps): TimerHandler =>
  async (_timer, context) => {
    const errors: unknown[] = [];
    for await (const job of openJobs(deps.state))
      try {
        await lookAfter(deps, context, job);
      } catch (error) {
        errors.push(error);
      }
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} jobs could not be looked after`);
  };

const lookAfter = async ({ clientOf, state }: WatchDeps, context: InvocationContext, id: string): Promise<void> => {
  const client = clientOf(context);
  const open = await findOpenJob(state, id);
  if (open === undefined) return;
  const { job, etag } = open;
  const found = await findInstance(client, id, { showInput: true });
  const nowMs = Date.now();
  // Where the instance before it still shows, its start does not show yet, or is lost.
  const own = found !== undefined && begunAt(found) !== job.replaces;
  if (!own && nowMs < Date.parse(job.at) + STARTING_MS) return;
  if (isAlive(found)) return;
  if (own && String(found.runtimeStatus) !== "Failed") return closeJob(state, id, etag);
  if (job.partOf !== undefined) {
    // Its whole begins it again.
    if (!(await isGoingOn(client, state, job.partOf))) await closeJob(state, id, etag);
    return;
  }
  if (found !== undefined && (await partsBelow(client, found)).length > 0) return;

  const earlier = await findContinuations(state, id);
  const lately = earlier.filter(({ at }) => Date.parse(at) > nowMs - DAY_MS);
  if (lately.length >= MOST_IN_A_DAY) {
    context.error(`${id} was lost ${lately.length + 1} times in a day, and is given up`);
    return closeJob(state, id, etag);
  }
  const by = `watch-jobs ${context.invocationId} ${earlier.length}`;
  if ((await claimPart(client, state, { instanceId: id, by })) !== "claimed") return;
  const reason = own ? reasonOf(found.output) : "The task hub does not know it";
  await noteContinuation(state, id, reason, new Date(nowMs));
  context.warn(`${id} goes on after it was lost: ${reason}`);
  await begin(client, job.kind, { instanceId: id, input: own ? (found.input ?? job.input) : job.input });
};

const isGoingOn = async (client: DurableClient, state: Blobs, id: string): Promise<boolean> => {
  const whole = await findInstance(client, id);
  return isAlive(whole) || isLost(state, whole);
};

/** One that lives by now was started by somebody else. */
const begin = async (
  client: DurableClient,
  kind: string,
  options: { readonly instanceId: string; readonly input: unknown },
): Promise<void> => {
  try {
    await client.startNew(kind, options);
  } catch (error) {
    if (!isAlive(await findInstance(client, options.instanceId))) throw error;
  }
};
