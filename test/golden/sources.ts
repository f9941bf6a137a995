import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Every source file of the app, by its whole path: wherever a file moves, it is found. */
export const appSources = async (): Promise<string[]> => {
  const files: string[] = [];
  for (const folder of ["functions", "shared"])
    for (const name of await readdir(join(ROOT, folder), { recursive: true }))
      if (name.endsWith(".ts")) files.push(join(ROOT, folder, name));
  return files.toSorted();
};
