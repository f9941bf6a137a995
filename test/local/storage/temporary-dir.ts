import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory that is gone when the test is over. */
export const temporaryDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), "storage-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
};
