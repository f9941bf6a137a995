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
