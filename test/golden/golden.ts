import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The golden files of a folder beside this file, sorted. */
export const goldenNames = async (folder: string): Promise<string[]> => (await readdir(pathOf(folder))).toSorted();

/**
 * Compares a text with its golden file, which `vitest -u` writes anew. One that is missing fails: vitest alone would
 * write it, and a test that writes what it expects expects nothing.
 */
export const expectGolden = async (name: string, text: string, whenItDiffers: string): Promise<void> => {
  const path = pathOf(name);
  const isRenewed = expect.getState().snapshotState.snapshotUpdateState === "all";
  if (!existsSync(path) && !isRenewed)
    expect.fail(`The golden file ${name} is missing: write it with vitest -u, and read it`);
  await expect(text, whenItDiffers).toMatchFileSnapshot(path);
};
