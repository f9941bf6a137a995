import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { isAlive } from "../../shared/durable/start-once.ts";
import type { Orchestrator } from "../jobs.ts";

/** Reads the progress of a job with parts, which its own status does not show in full. */
type ReadProgress = (
  client: Pick<DurableClient, "getStatus">,
  status: DurableOrchestrationStatus,
  nowMs: number,
) => Promise<unknown>;

/** Readers of progress, by the kinds of jobs that have parts. */
export type ProgressReaders = Readonly<Partial<Record<Orchestrator, ReadProgress>>>;

/** A job that the task hub has lost, as it is: it goes on within some minutes. */
export const asGoingOn = (status: DurableOrchestrationStatus): DurableOrchestrationStatus => {
  const runtimeStatus = "Running" as DurableOrchestrationStatus["runtimeStatus"];
  return { ...status, runtimeStatus, output: null } as DurableOrchestrationStatus;
};

/** The progress of a job over its parts; `undefined` for one that shows it by itself. */
export const progressOf = async (
  readers: ProgressReaders,
  client: Pick<DurableClient, "getStatus">,
  status: DurableOrchestrationStatus,
): Promise<unknown> => {
  const read = (readers as Readonly<Record<string, ReadProgress | undefined>>)[status.name];
  return read === undefined || !isAlive(status) ? undefined : read(client, status, Date.now());
};
