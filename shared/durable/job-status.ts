import type { DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { askedAt } from "../contracts/job-ids.ts";
import { reasonOf } from "./reason.ts";

/** `pausing`, `resuming` and `stopping`: it was told so, and has not done it yet. */
export type JobState =
  | "pending"
  | "running"
  | "pausing"
  | "paused"
  | "resuming"
  | "stopping"
  | "completed"
  | "failed"
  | "cancelled"
  | "unknown";

const STATES: Readonly<Record<string, JobState>> = {
  Pending: "pending",
  Running: "running",
  ContinuedAsNew: "running",
  Suspended: "paused",
  Completed: "completed",
  Failed: "failed",
  Terminated: "cancelled",
  Canceled: "cancelled",
};

/** The output of a job that ended by itself since it was cancelled. */
const Cancelled = z.looseObject({ stopped: z.looseObject({ reason: z.literal("cancelled") }) });

/** What a job was told, if it heeds that. */
export type Told = "go-on" | "pause" | "cancel" | undefined;

/** The state of a job, by what the task hub, its own progress and its orders say. */
export const jobState = (
  {
    runtimeStatus,
    output,
    customStatus,
  }: Pick<DurableOrchestrationStatus, "runtimeStatus" | "output" | "customStatus">,
  told?: Told,
): JobState => {
  const state = STATES[String(runtimeStatus)] ?? "unknown";
  if (state === "completed" && Cancelled.safeParse(output).success) return "cancelled";
  if (state !== "pending" && state !== "running") return state;
  if (told === "cancel") return "stopping";
  if (isPaused(customStatus)) return told === "go-on" ? "resuming" : "paused";
  return told === "pause" ? "pausing" : state;
};

const isPaused = (progress: unknown): boolean =>
  typeof progress === "object" && progress !== null && "paused" in progress && progress.paused === true;

/** A job as callers see it. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  readonly created: string;
  readonly updated: string;
  readonly progress?: unknown;
  readonly result?: unknown;
  readonly error?: string;
}

/** `progress`: where the job itself shows less than all. */
export const jobOf = (
  status: DurableOrchestrationStatus,
  told?: Told,
  progress: unknown = status.customStatus,
): Job => {
  const { instanceId, name, createdTime, lastUpdatedTime, output } = status;
  const state = jobState({ ...status, customStatus: progress }, told);
  const hasResult = state === "completed" || (state === "cancelled" && typeof output === "object" && output !== null);
  return {
    id: instanceId,
    kind: name,
    state,
    // The task hub's time moves with each generation of a job.
    created: (askedAt(instanceId) ?? new Date(createdTime)).toISOString(),
    updated: new Date(lastUpdatedTime).toISOString(),
    ...(progress ? { progress: progressIn(state, progress) } : {}),
    ...(hasResult ? { result: output } : {}),
    ...(state === "failed" ? { error: reasonOf(output), ...resultIn(progress) } : {}),
  };
};

/** A job that fails since it was refused leaves the reasons as a result in its status: it has no output. */
const resultIn = (progress: unknown): Pick<Job, "result"> =>
  typeof progress === "object" && progress !== null && "result" in progress ? { result: progress.result } : {};

const STANDS: readonly JobState[] = ["paused", "cancelled", "failed"];

/** The progress without rate and estimated end when the job does not run, and without what the job itself says. */
const progressIn = (state: JobState, progress: unknown): unknown => {
  if (typeof progress !== "object" || progress === null) return progress;
  const { paused: _, ...rest } = progress as Record<string, unknown>;
  if (!STANDS.includes(state)) return rest;
  const { itemsPerSecond: _rate, etaSeconds: _eta, result: _result, ...standing } = rest;
  return standing;
};
