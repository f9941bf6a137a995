import { setTimeout as delay } from "node:timers/promises";
import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { placeInstance } from "../../shared/contracts/job-ids.ts";
import { type JobState, jobState } from "../../shared/durable/job-status.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { jobKind } from "../jobs.ts";

export type ControlClient = Pick<DurableClient, "getStatus" | "suspend" | "resume" | "terminate">;

/** How long to wait for a command to take effect: a turn of an orchestration takes milliseconds. */
const SETTLE_MS = 5_000;

const POLL_MS = 100;

/** Parts of a job that are changed at the same time. */
const WIDTH = 8;

/** It is kept in the history of the instance and in its status, so it names nobody. */
const REASON = "requested";

interface Command {
  readonly from: readonly JobState[];
  readonly to: readonly JobState[];
  readonly send: (client: ControlClient, id: string) => Promise<void>;
}

const ENDED: readonly JobState[] = ["completed", "failed", "cancelled"];

const PAUSE: Command = {
  from: ["pending", "running"],
  to: ["paused", ...ENDED],
  send: (client, id) => client.suspend(id, REASON),
};
const RESUME: Command = {
  from: ["paused"],
  to: ["pending", "running", ...ENDED],
  send: (client, id) => client.resume(id, REASON),
};
const CANCEL: Command = {
  from: ["pending", "running", "paused"],
  to: ENDED,
  send: (client, id) => client.terminate(id, REASON),
};

/** The parts that a job works through at the moment, and theirs. */
export const partsBelow = async (
  client: Pick<DurableClient, "getStatus">,
  job: DurableOrchestrationStatus,
): Promise<string[]> => {
  const below = await mapBounded(partsOf(job) ?? [], WIDTH, async (id) => {
    const part = await findInstance(client, id);
    return part === undefined || !isAlive(part) ? [] : [id, ...(await partsBelow(client, part))];
  });
  return below.flat();
};

/** An operation on a job and all its parts; returns the number of instances that it changed. */
export type JobOperation = (client: ControlClient, job: DurableOrchestrationStatus) => Promise<number>;

/** Pauses from the top, so that no part is started while others are paused. Lanes under way finish their work. */
export const pauseJob: JobOperation = async (client, job) => {
  const paused = await execute(client, job, PAUSE);
  return paused + (await eachPart(client, job, pauseJob));
};

export const resumeJob: JobOperation = async (client, job) => {
  const resumed = await execute(client, job, RESUME);
  return resumed + (await eachPart(client, job, resumeJob));
};

/**
 * Cancels from the bottom. The job itself is paused meanwhile: it neither starts parts nor sees them end, and if this
 * is cut off, it can be cancelled again. Lanes under way finish their work; no snapshot comes of it.
 */
export const cancelJob: JobOperation = async (client, job) => {
  if (partsOf(job) !== undefined) await execute(client, job, PAUSE);
  const parts = await eachPart(client, job, cancelJob);
  return parts + (await execute(client, job, CANCEL));
};

/**
 * Sends a command to one instance, if its state allows it, and waits for the effect. Returns 1 if it changed, else 0.
 */
const execute = async (
  client: ControlClient,
  { instanceId }: DurableOrchestrationStatus,
  { from, to, send }: Command,
): Promise<number> => {
  const before = await findInstance(client, instanceId);
  if (before === undefined || !from.includes(jobState(before))) return 0;
  const hasSettled = (now: DurableOrchestrationStatus | undefined) => now === undefined || to.includes(jobState(now));
  try {
    await send(client, instanceId);
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

/** Operates on the parts that a job has now, if it is alive. */
const eachPart = async (
  client: ControlClient,
  { instanceId }: DurableOrchestrationStatus,
  operate: JobOperation,
): Promise<number> => {
  const job = await findInstance(client, instanceId);
  if (job === undefined || !isAlive(job)) return 0;
  const changed = await mapBounded(partsOf(job) ?? [], WIDTH, async (id) => {
    const part = await findPart(client, job, id);
    return part === undefined ? 0 : operate(client, part);
  });
  return changed.reduce((sum, count) => sum + count, 0);
};

/** Waits for a part that was just started: it may not exist yet, or be the ended one of an earlier job. */
const findPart = (client: ControlClient, job: DurableOrchestrationStatus, id: string) =>
  poll(
    () => findInstance(client, id),
    (part) => part !== undefined && (isAlive(part) || Number(part.createdTime) >= Number(job.createdTime)),
  );

/** Reads until the value is accepted or time is up; returns the last value. */
const poll = async <T>(read: () => Promise<T>, isAccepted: (value: T) => boolean): Promise<T> => {
  const untilMs = Date.now() + SETTLE_MS;
  for (;;) {
    const value = await read();
    if (isAccepted(value) || Date.now() >= untilMs) return value;
    await delay(POLL_MS);
  }
};
