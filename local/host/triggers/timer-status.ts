import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** When a timer last ran, and when it will run next. Times are milliseconds since the epoch. */
const TimerStatus = z.object({ lastMs: z.int().optional(), nextMs: z.int(), updatedMs: z.int() });
export type TimerStatus = z.infer<typeof TimerStatus>;

const TimerStatuses = z.record(z.string(), TimerStatus);

export interface TimerStatusFile {
  get(functionName: string): TimerStatus | undefined;
  set(functionName: string, status: TimerStatus): void;
}

/** The status of the timers in `timers.json` of a folder, which is created. Writes are atomic. */
export const timerStatusFile = (dir: string): TimerStatusFile => {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "timers.json");
  const statuses = readStatuses(path);
  return {
    get: (functionName) => statuses[functionName],
    set(functionName, status) {
      statuses[functionName] = status;
      writeFileSync(`${path}.new`, JSON.stringify(statuses, undefined, 2));
      renameSync(`${path}.new`, path);
    },
  };
};

const readStatuses = (path: string): z.infer<typeof TimerStatuses> => {
  try {
    return TimerStatuses.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
};
