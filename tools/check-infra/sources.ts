import { createHash } from "node:crypto";
import { parametersOf, type Target } from "./targets.ts";

interface Files {
  text(path: string): string;
  list(folder: string): readonly string[];
}

/** What a snapshot of any target is made from, beside its own parameter file and those that it extends. */
const SOURCE = /\.(bicep|bicepparam|kql)$|bicepconfig\.json$/;

/**
 * The hash of what a snapshot was made from. It covers all sources, not only those of the target: which one includes
 * which only the compiler knows. Line ends do not count, since git may change them.
 */
export const sourcesHash = (files: Files, target: Target): string => {
  const hash = createHash("sha256").update(parametersOf(target));
  for (const path of files.list("infra").filter((name) => SOURCE.test(name)))
    hash.update(`\0${path}\0${files.text(path).replaceAll("\r\n", "\n")}`);
  return hash.digest("hex");
};
