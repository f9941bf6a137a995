import * as z from "zod";
import { type Blobs, readJson, updateJson } from "../../shared/storage/blobs.ts";

/** A job that was started and has not ended: what it is, and what it began with. */
const OpenJob = z.object({ kind: z.string(), input: z.unknown(), at: z.iso.datetime() });
export type OpenJob = z.output<typeof OpenJob>;

/** When a job that the task hub had lost was gone on with, and what the hub said of it. */
const Continuations = z.array(z.object({ at: z.iso.datetime(), reason: z.string() }));
export type Continuations = z.output<typeof Continuations>;

const PREFIX = "open-jobs/";
const openName = (job: string): string => `${PREFIX}${job}.json`;
const continuationsName = (job: string): string => `jobs/${job}/continuations.json`;

/** Notes a job that is about to be started, in place of an earlier one of its id. */
export const openJob = async (
  state: Blobs,
  job: string,
  { kind, input }: Pick<OpenJob, "kind" | "input">,
): Promise<void> => {
  await updateJson(state, openName(job), OpenJob, () => ({ kind, input, at: new Date().toISOString() }));
};

/** Forgets a job that has ended, so that nobody goes on with it. Run twice, nothing happens. */
export const closeJob = async (state: Blobs, job: string): Promise<void> => {
  await state.remove(openName(job));
};

/** The jobs that were started and are not known to have ended. */
export async function* openJobs(state: Blobs): AsyncGenerator<OpenJob & { readonly id: string }> {
  for await (const { name } of state.list(PREFIX)) {
    const found = await readJson(state, name, OpenJob);
    if (found !== undefined) yield { ...found, id: name.slice(PREFIX.length, -".json".length) };
  }
}

export const findContinuations = async (state: Blobs, job: string): Promise<Continuations> =>
  (await readJson(state, continuationsName(job), Continuations)) ?? [];

export const noteContinuation = async (state: Blobs, job: string, reason: string, now: Date): Promise<void> => {
  await updateJson(state, continuationsName(job), Continuations, (before = []) => [
    ...before,
    { at: now.toISOString(), reason },
  ]);
};

/** Forgets how often a job was gone on with: another one begins under its id, or it is not listed any more. */
export const forgetContinuations = async (state: Blobs, job: string): Promise<void> => {
  await state.remove(continuationsName(job));
};
