import type { Blobs } from "../storage/blobs.ts";
import type { Manifest } from "./manifest.ts";
import { readPart } from "./part-reader.ts";
import { Problem } from "./records.ts";

/** What a snapshot tells beside the items that it left out. Reads parts from the last until all problems are met. */
export const readProblems = async (vault: Blobs, manifest: Manifest): Promise<Problem[]> => {
  if (manifest.v === 1) return [];
  const problems: Problem[] = [];
  for (const part of manifest.parts.toReversed()) {
    if (problems.length === manifest.counts.problems) break;
    for await (const record of readPart(vault, part)) if (record.op === "problem") problems.push(Problem.parse(record));
  }
  return problems;
};

/** Each problem once: as it was told first. */
export const distinctProblems = (problems: readonly Problem[]): Problem[] => {
  const told = new Map<string, Problem>();
  for (const problem of problems) if (!told.has(problemKey(problem))) told.set(problemKey(problem), problem);
  return [...told.values()];
};

/** Tells problems apart. When a problem began is no part of it. */
export const problemKey = ({ what, itemId, folderId }: Problem): string => JSON.stringify([what, itemId, folderId]);
