import { z } from "zod";

/**
 * What an element may be although the documents say otherwise. @observed Negative sizes and times without zone or
 * empty: neighbouring APIs. @guess The others.
 */
export const Oddity = z.enum([
  "negative-size",
  "null-category",
  "time-without-zone",
  "empty-time",
  "null-name",
  "own-parent",
  "removed-null",
  "removed-without-reason",
]);
export type Oddity = z.infer<typeof Oddity>;
