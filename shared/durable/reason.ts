import * as z from "zod";

/** Longer reasons are cut. */
const MAX_CHARACTERS = 300;

const Issues = z.array(z.looseObject({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })).min(1);

/**
 * Why something failed, in one line. A failure crosses the task hub as text: what the app said comes first, and stacks
 * of the host below it. Seen on the real host with the Durable extension 3.19.
 */
export const reasonOf = (error: unknown): string => {
  const text = String(error instanceof Error ? error.message : error);
  const line = withIssues(text) ?? text.split("\n").find((line) => /\p{L}/u.test(line)) ?? "";
  return line.trim().slice(0, MAX_CHARACTERS);
};

/** The message of a ZodError is JSON over many lines, after what failed, if anything says that. */
const withIssues = (text: string): string | undefined => {
  const begins = text.indexOf("[\n  {\n");
  const ends = text.indexOf("\n]", begins);
  const what = text.slice(0, begins);
  if (begins === -1 || ends === -1 || what.includes("\n")) return undefined;
  try {
    const issues = Issues.parse(JSON.parse(text.slice(begins, ends + 2)));
    return what + issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
  } catch {
    return undefined;
  }
};
