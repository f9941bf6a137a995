import { mapBounded } from "../../shared/bounded.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import type { TidyCounts } from "./tidy.contract.ts";

const DAY_MS = 24 * 3_600_000;

/** Half of the time after which storage removes what nobody modified. Source: infra/modules/data-storage.bicep. */
export const RENEW_AFTER_MS = 30 * DAY_MS;

/** How long scratch data without a job is left alone: the job may be about to start. Our own choice. */
export const LEFT_ALONE_MS = 7 * DAY_MS;

/** Blobs that are changed at the same time. */
const WIDTH = 8;

type Listed = ReturnType<Blobs["list"]> extends AsyncIterable<infer T> ? T : never;

const listed = async (blobs: Blobs, folder: string): Promise<Listed[]> => {
  const all: Listed[] = [];
  for await (const blob of blobs.list(`${folder}/`)) all.push(blob);
  return all;
};

/** Renews the old blobs of a folder, so that storage does not take them from under a job that waits or is paused. */
export const renewOld = async (blobs: Blobs, folder: string, nowMs: number): Promise<Partial<TidyCounts>> => {
  const old = (await listed(blobs, folder)).filter(({ modified }) => modified.getTime() < nowMs - RENEW_AFTER_MS);
  await mapBounded(old, WIDTH, ({ name }) => blobs.renew(name));
  return { renewed: old.length };
};

/**
 * Removes those blobs of a folder that are `chosen`, unless one of them is new. Each goes in the version that was
 * listed: one that a job wrote again meanwhile, as it starts, stays.
 */
export const removeUnlessNew = async (
  blobs: Blobs,
  folder: string,
  nowMs: number,
  chosen: (name: string) => boolean = () => true,
): Promise<Partial<TidyCounts>> => {
  const found = (await listed(blobs, folder)).filter(({ name }) => chosen(name));
  if (found.some(({ modified }) => modified.getTime() > nowMs - LEFT_ALONE_MS)) return {};
  const outcomes = await mapBounded(found, WIDTH, ({ name, etag }) => blobs.remove(name, etag));
  return { removed: outcomes.filter((outcome) => outcome === "removed").length };
};
