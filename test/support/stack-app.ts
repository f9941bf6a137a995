import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    appDir: string;
  }
}

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * For `globalSetup` of the vitest configuration: the app as it is deployed, built once for the run, away from `dist`.
 */
export const setup = async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const appDir = await mkdtemp(join(tmpdir(), "mailbox-vault-app-"));
  await promisify(execFile)(process.execPath, [join(PROJECT, "scripts/package.mjs"), appDir]);
  provide("appDir", appDir);
  return () => rm(appDir, { recursive: true });
};
