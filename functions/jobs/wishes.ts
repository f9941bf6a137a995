import * as z from "zod";
import { type Blobs, readJson, updateJson } from "../../shared/storage/blobs.ts";
import { Wish } from "./wish.contract.ts";

/** A wish, and when it was written. */
const WrittenWish = z.object({ wish: Wish, at: z.iso.datetime() });
export type WrittenWish = z.output<typeof WrittenWish>;

const wishName = (job: string): string => `jobs/${job}/wish.json`;

/** What a job was told last; `undefined` for one that was told nothing. */
export const findWish = (state: Blobs, job: string): Promise<WrittenWish | undefined> =>
  readJson(state, wishName(job), WrittenWish);

/**
 * Writes down what a job is to do: the last writer wins, but a cancelled job stays cancelled. Returns the wish that
 * stands. The job sees it when it looks the next time; an event only makes that sooner.
 */
export const makeWish = (state: Blobs, job: string, wish: Wish, now: Date): Promise<WrittenWish> =>
  updateJson(state, wishName(job), WrittenWish, (current) =>
    current?.wish === "cancel" ? current : { wish, at: now.toISOString() },
  );

/** Forgets what a job was told: the job begins anew under its id. */
export const forgetWish = async (state: Blobs, job: string): Promise<void> => {
  await state.remove(wishName(job));
};

/**
 * What a job is to do, by its own wish and those of the jobs that it is a part of. One that is cancelled cancels it; of
 * the others the newest counts: a part of a paused job can be resumed alone, and a resumed job resumes its parts.
 */
export const wishOf = async (state: Blobs, jobs: readonly string[]): Promise<Wish> => {
  const wishes = (await Promise.all(jobs.map((job) => findWish(state, job)))).filter((wish) => wish !== undefined);
  if (wishes.some(({ wish }) => wish === "cancel")) return "cancel";
  return wishes.toSorted((a, b) => b.at.localeCompare(a.at))[0]?.wish ?? "go-on";
};
