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

/**
 * What a page may be. `repeats`: its nextLink leads to it again (@observed of the mail API). `no-link`: it has neither
 * link (@guess). `endless`: each page is followed by another, which is empty (@guess). `doubled`: each element is there
 * twice (@doc legal for a delta).
 */
export const PageOddity = z.enum(["repeats", "no-link", "endless", "doubled"]);
export type PageOddity = z.infer<typeof PageOddity>;
