import type { DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { type Blobs, parseJson, readJson, updateJson } from "../../shared/storage/blobs.ts";

/** A job that was started and has not ended: what it is, and what it began with. */
const OpenJob = z.object({
  kind: z.string(),
  input: z.unknown(),
  at: z.iso.datetime(),
  /** The job that goes on with it where it is lost. */
  partOf: z.string().optional(),
  /** When the ended instance of its id began that it takes the place of, as the task hub says. */
  replaces: z.iso.datetime().optional(),
});
export type OpenJob = z.output<typeof OpenJob>;

/** When a job that the task hub had lost was gone on with, and what the hub said of it. */
const Continuations = z.array(z.object({ at: z.iso.datetime(), reason: z.string() }));
export type Continuations = z.output<typeof Continuations>;

const PREFIX = "open-jobs/";
const openName = (job: string): string => `${PREFIX}${job}.json`;
const continuationsName = (job: string): string => `jobs/${job}/continuations.json`;

/** Notes a job that is about to be started, in place of an earlier one of its id. */
export const openJob = async (state: Blobs, job: string, what: Omit<OpenJob, "at">): Promise<void> => {
  await updateJson(state, openName(job), OpenJob, () => ({ ...what, at: new Date().toISOString() }));
};

/** Forgets a job that has ended, so that nobody goes on with it; with an ETag, that start of it alone. */
export const closeJob = async (state: Blobs, job: string, etag?: string): Promise<void> => {
  await state.remove(openName(job), etag);
};

/** The ids of jobs that were started and are not known to have ended. */
export async function* openJobs(state: Blobs): AsyncGenerator<string> {
  for await (const { name } of state.list(PREFIX)) yield name.slice(PREFIX.length, -".json".length);
}

export const findOpenJob = async (
  state: Blobs,
  job: string,
): Promise<{ readonly job: OpenJob; readonly etag: string } | undefined> => {
  const found = await state.readWhole(openName(job));
  return found && { job: parseJson(openName(job), found.body, OpenJob), etag: found.etag };
};

/** When an instance began, as the task hub says: two of one id are told apart by it. */
export const begunAt = ({ createdTime }: Pick<DurableOrchestrationStatus, "createdTime">): string =>
  new Date(createdTime).toISOString();

/** Whether the task hub has lost a job: it says that it failed, and the job did not. It goes on within some minutes. */
export const isLost = async (
  state: Blobs,
  status: Pick<DurableOrchestrationStatus, "instanceId" | "runtimeStatus"> | undefined,
): Promise<boolean> =>
  String(status?.runtimeStatus) === "Failed" && (await findOpenJob(state, status?.instanceId ?? "")) !== undefined;

export const findContinuations = async (state: Blobs, job: string): Promise<Continuations> =>
  (await readJson(state, continuationsName(job), Continuations)) ?? [];

export const noteContinuation = async (state: Blobs, job: string, reason: string, now: Date): Promise<void> => {
  await updateJson(state, continuationsName(job), Continuations, (before = []) => [
    ...before,
    { at: now.toISOString(), reason },
  ]);
};

/** Forgets how often a job was gone on with, since another one begins under its id. */
export const forgetContinuations = async (state: Blobs, job: string): Promise<void> => {
  await state.remove(continuationsName(job));
};
