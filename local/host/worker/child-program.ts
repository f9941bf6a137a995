import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/**
 * Writes the program of the app processes to a folder, as JavaScript that needs no TypeScript tools; returns its path.
 */
export const writeChildProgram = async (dir: string): Promise<string> => {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL("child.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    write: false,
  });
  const path = resolve(join(dir, "worker.mjs"));
  await mkdir(dir, { recursive: true });
  await writeFile(path, outputFiles[0]?.contents ?? "");
  return path;
};
