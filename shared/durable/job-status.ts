import type { DurableOrchestrationStatus } from "durable-functions";

export type JobState = "pending" | "running" | "paused" | "completed" | "failed" | "cancelled" | "unknown";

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

export const jobState = ({ runtimeStatus }: Pick<DurableOrchestrationStatus, "runtimeStatus">): JobState =>
  STATES[String(runtimeStatus)] ?? "unknown";

/** A job as callers see it. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  readonly created: string;
  readonly updated: string;
  progress?: unknown;
  readonly result?: unknown;
  readonly error?: string;
}

export const jobOf = (status: DurableOrchestrationStatus): Job => {
  const { instanceId, name, createdTime, lastUpdatedTime, customStatus, output } = status;
  const state = jobState(status);
  return {
    id: instanceId,
    kind: name,
    state,
    created: new Date(createdTime).toISOString(),
    updated: new Date(lastUpdatedTime).toISOString(),
    ...(customStatus ? { progress: progressIn(state, customStatus) } : {}),
    ...(state === "completed" ? { result: output } : {}),
    ...(state === "failed" ? { error: String(output), ...resultIn(customStatus) } : {}),
  };
};

/** A job that fails since it was refused leaves the reasons as a result in its status: it has no output. */
const resultIn = (customStatus: unknown): Pick<Job, "result"> =>
  typeof customStatus === "object" && customStatus !== null && "result" in customStatus
    ? { result: customStatus.result }
    : {};

/** The progress without rate and estimated end when the job does not run, and without the result of one that failed. */
export const progressIn = (state: JobState, customStatus: unknown): unknown => {
  const isStopped = state === "paused" || state === "cancelled" || state === "failed";
  if (!isStopped || typeof customStatus !== "object") return customStatus;
  const {
    itemsPerSecond: _rate,
    etaSeconds: _eta,
    result: _result,
    ...progress
  } = customStatus as Record<string, unknown>;
  return progress;
};
