import type * as z from "zod";
import { type Blobs, updateJson } from "./blobs.ts";

/**
 * Keeps how far a consumer of a queue has come, turn by turn: one that begins again after it was lost goes on from
 * there. A turn that is kept again after a later one changes nothing.
 */
export const keepFurthest = async <T extends { readonly turn: number }>(
  work: Blobs,
  name: string,
  schema: z.ZodType<T>,
  own: T,
): Promise<void> => {
  await updateJson(work, name, schema, (current) => (current !== undefined && current.turn > own.turn ? current : own));
};
