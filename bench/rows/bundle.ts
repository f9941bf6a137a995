import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Measurement } from "../measurement.ts";
import { bundleSize, loadTime } from "../targets.ts";

const LOADS = 11;
const LOADER = fileURLToPath(new URL("../load-app.mjs", import.meta.url));

/** Settings for the start of the app; their addresses are never called. */
const SETTINGS = {
  GRAPH_ENDPOINT: "http://127.0.0.1:9",
  LOCAL_BACKUP_TOKEN: "none",
  LOCAL_RESTORE_TOKEN: "none",
  VAULT_CONNECTION_STRING: "UseDevelopmentStorage=true;BlobEndpoint=http://127.0.0.1:9/devstoreaccount1",
  SEAL_KEY: Buffer.alloc(32).toString("base64"),
  BACKUP_SCHEDULE: "0 0 1 * * *",
  TASKHUB_NAME: "Bench",
};

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return (low + high) / 2;
};

/** The bundle as it is deployed, loaded by fresh processes: the median of several. */
export const bundle: Measurement = {
  rows: [bundleSize, loadTime],
  measure: async ({ appDir, say }) => {
    const main = join(appDir, "dist/main.mjs");
    say("Loading the bundle");
    const times: number[] = [];
    for (let load = 0; load < LOADS; load += 1) {
      const { stdout } = await promisify(execFile)(process.execPath, [LOADER, main], { env: SETTINGS });
      times.push(Number(stdout));
    }
    return new Map([
      [bundleSize, (await stat(main)).size / 1e6],
      [loadTime, median(times)],
    ]);
  },
};
