import type * as z from "zod";
import { type Blobs, jsonBytes, readJson } from "./blobs.ts";

/**
 * Creates a JSON blob unless it exists, and returns the stored value: the first writer wins. That writer gets back its
 * own object, by which it can tell that it was first. So code that runs twice, even at the same time, goes on with one
 * value.
 *
 * Functions for the scratch data of jobs have names after this: `keepX` creates in this way; when nothing is kept,
 * `findX` returns `undefined` and `readX` throws.
 *
 * @throws {UnreadableBlobError} when the existing blob does not parse.
 * @throws {Error} when it disappeared between two reads. A caller never goes on with a value that is not stored.
 */
export const createOnce = async <T>(blobs: Blobs, name: string, schema: z.ZodType<T>, value: T): Promise<T> => {
  if ((await blobs.create(name, jsonBytes(schema.parse(value)))) === "created") return value;
  return existing(name, await readJson(blobs, name, schema));
};

/** The value of the writer that was first. @throws {Error} when its blob disappeared between two reads. */
export const existing = <T>(name: string, found: T | undefined): T => {
  if (found === undefined) throw new Error(`${name} disappeared between two reads`);
  return found;
};

/** Tries of a write that other writers, or a removal, come between. */
const ATTEMPTS = 12;

/**
 * Creates a blob of a job that is about to start, or writes what stands once more: the first writer wins, and the blob
 * counts as new either way. What removes the scratch data of jobs that never began leaves new blobs alone.
 */
export const createAnew = async (blobs: Blobs, name: string, body: Uint8Array): Promise<void> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if ((await blobs.create(name, body)) === "created") return;
    const found = await blobs.readWhole(name);
    if (found !== undefined && (await blobs.replace(name, found.body, found.etag))) return;
  }
  throw new Error(`${name}: lost ${ATTEMPTS} writes in a row to other writers`);
};
