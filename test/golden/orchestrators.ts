import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OrchestrationHandler } from "durable-functions";

const FUNCTIONS = fileURLToPath(new URL("../../functions/", import.meta.url));
const SUFFIX = ".orchestrator.ts";

/** The one orchestrator of each file, by the name of the file, which is also the name that it is registered under. */
export const loadOrchestrators = async (): Promise<ReadonlyMap<string, OrchestrationHandler>> => {
  const orchestrators = new Map<string, OrchestrationHandler>();
  for (const file of await readdir(FUNCTIONS, { recursive: true })) {
    if (!file.endsWith(SUFFIX)) continue;
    const exported: object = await import(join(FUNCTIONS, file));
    const [handler, ...more] = Object.values(exported).filter((value) => typeof value === "function");
    if (handler === undefined || more.length > 0)
      throw new Error(`${file} should export its orchestrator, and it alone`);
    orchestrators.set(basename(file, SUFFIX), handler);
  }
  return orchestrators;
};
