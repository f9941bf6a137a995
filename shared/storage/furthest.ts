import type * as z from "zod";
import { type Blobs, updateJson } from "./blobs.ts";

/**
 * Keeps how far a consumer of a queue has come, turn by turn, and returns the furthest that was kept: one that begins
 * again after it was lost goes on from there. Run twice, nothing changes.
 */
export const keepFurthest = <T extends { readonly turn: number }>(
  work: Blobs,
  name: string,
  schema: z.ZodType<T>,
  own: T,
): Promise<T> =>
  updateJson(work, name, schema, (current) => (current !== undefined && current.turn > own.turn ? current : own));
