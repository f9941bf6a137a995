import { setTimeout as delay } from "node:timers/promises";
import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { placeInstance } from "../../shared/contracts/job-ids.ts";
import { type JobState, stateOf } from "../../shared/durable/job-status.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { jobKind } from "../jobs.ts";

export type Steering = Pick<DurableClient, "getStatus" | "suspend" | "resume" | "terminate">;

/** How long an order is given to take effect before the next one: a turn of an orchestration takes milliseconds. */
const SETTLE_MS = 5_000;

const POLL_MS = 100;

/** Parts of a job that are steered at the same time. */
const WIDTH = 8;

/** Stands in the history of the instance and in its status, so it says nothing of anyone. */
const REASON = "requested";

interface Order {
  readonly from: readonly JobState[];
  readonly to: readonly JobState[];
  readonly give: (client: Steering, id: string) => Promise<void>;
}

const ENDED: readonly JobState[] = ["completed", "failed", "cancelled"];

const PAUSE: Order = {
  from: ["pending", "running"],
  to: ["paused", ...ENDED],
  give: (client, id) => client.suspend(id, REASON),
};
const RESUME: Order = {
  from: ["paused"],
  to: ["pending", "running", ...ENDED],
  give: (client, id) => client.resume(id, REASON),
};
const CANCEL: Order = {
  from: ["pending", "running", "paused"],
  to: ENDED,
  give: (client, id) => client.terminate(id, REASON),
};

/** Carries an operation out on a job and all its parts, and yields how many instances it changed. */
export type Steer = (client: Steering, job: DurableOrchestrationStatus) => Promise<number>;

/** Pauses from the top, so that no part is started while others are paused. Lanes under way finish their work. */
export const pauseJob: Steer = async (client, job) => {
  const paused = await order(client, job, PAUSE);
  return paused + (await eachPart(client, job, pauseJob));
};

export const resumeJob: Steer = async (client, job) => {
  const resumed = await order(client, job, RESUME);
  return resumed + (await eachPart(client, job, resumeJob));
};

/**
 * Cancels from the bottom, below a job that is held still meanwhile: it neither starts parts nor sees them end, and if
 * this is cut off, it is still there to be cancelled again. Lanes under way finish their work; no snapshot comes of it.
 */
export const cancelJob: Steer = async (client, job) => {
  if (partsOf(job) !== undefined) await order(client, job, PAUSE);
  const parts = await eachPart(client, job, cancelJob);
  return parts + (await order(client, job, CANCEL));
};

/** Gives an order to one instance that is in a state for it, and waits until it shows. */
const order = async (client: Steering, { instanceId }: DurableOrchestrationStatus, { from, to, give }: Order) => {
  const before = await findInstance(client, instanceId);
  if (before === undefined || !from.includes(stateOf(before))) return 0;
  const hasSettled = (now: DurableOrchestrationStatus | undefined) => now === undefined || to.includes(stateOf(now));
  try {
    await give(client, instanceId);
  } catch (error) {
    if (hasSettled(await findInstance(client, instanceId))) return 0;
    throw error;
  }
  await poll(() => findInstance(client, instanceId), hasSettled);
  return 1;
};

const WindowStatus = z.looseObject({ places: z.int().nonnegative() });
const PlaceStatus = z.looseObject({ running: z.string() });

/** The instances that a job works through at the moment; `undefined` for one that works alone. */
const partsOf = ({ name, instanceId, customStatus }: DurableOrchestrationStatus): string[] | undefined => {
  const parts = jobKind(name)?.parts;
  if (parts === "window") {
    const places = WindowStatus.safeParse(customStatus).data?.places ?? 0;
    return Array.from({ length: places }, (_, place) => placeInstance(place, instanceId));
  }
  if (parts === "place") {
    const running = PlaceStatus.safeParse(customStatus).data?.running;
    return running === undefined ? [] : [running];
  }
  return undefined;
};

/** Steers the parts of a job that is alive, as it is now. */
const eachPart = async (
  client: Steering,
  { instanceId }: DurableOrchestrationStatus,
  steer: Steer,
): Promise<number> => {
  const job = await findInstance(client, instanceId);
  if (job === undefined || !isAlive(job)) return 0;
  const changed = await mapBounded(partsOf(job) ?? [], WIDTH, async (id) => {
    const part = await findPart(client, job, id);
    return part === undefined ? 0 : steer(client, part);
  });
  return changed.reduce((sum, count) => sum + count, 0);
};

/** A part that was just started may not be there yet, or still be what an earlier job of that id left. */
const findPart = (client: Steering, job: DurableOrchestrationStatus, id: string) =>
  poll(
    () => findInstance(client, id),
    (part) => part !== undefined && (isAlive(part) || Number(part.createdTime) >= Number(job.createdTime)),
  );

/** Looks until what it sees will do, or time is up; yields what it saw last. */
const poll = async <T>(look: () => Promise<T>, isEnough: (seen: T) => boolean): Promise<T> => {
  const untilMs = Date.now() + SETTLE_MS;
  for (;;) {
    const seen = await look();
    if (isEnough(seen) || Date.now() >= untilMs) return seen;
    await delay(POLL_MS);
  }
};
