import type * as z from "zod";
import { type Blobs, jsonBytes, readJson } from "./blobs.ts";

/**
 * Creates a JSON blob unless it exists, and returns the value that stands: the first writer wins, and is given back its
 * very own value, by which it can tell. Whatever runs twice, at the same time even, goes on with one value.
 *
 * @throws {UnreadableBlobError} when the blob that stands does not parse.
 * @throws {Error} when it disappeared between two reads. A caller never goes on with a value that does not stand.
 */
export const createOnce = async <T>(blobs: Blobs, name: string, schema: z.ZodType<T>, value: T): Promise<T> => {
  if ((await blobs.create(name, jsonBytes(schema.parse(value)))) === "created") return value;
  return standing(name, await readJson(blobs, name, schema));
};

/** The value of the writer who was first. @throws {Error} when its blob disappeared between two reads. */
export const standing = <T>(name: string, found: T | undefined): T => {
  if (found === undefined) throw new Error(`${name} disappeared between two reads`);
  return found;
};
