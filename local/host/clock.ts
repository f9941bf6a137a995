import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "./contract.ts";

/**
 * Longest delay of a Node timer; a longer one fires at once. Source: https://nodejs.org/api/timers.html (read 2026-11).
 */
const MAX_DELAY_MS = 2 ** 31 - 1;

const scheduler = (now: () => number, factor: number): Clock => ({
  now,
  at(timeMs, action) {
    let timer: NodeJS.Timeout;
    const wait = () => {
      const delayMs = Math.max(0, Math.ceil((timeMs - now()) / factor));
      timer = setTimeout(() => (now() < timeMs ? wait() : action()), Math.min(delayMs, MAX_DELAY_MS));
    };
    wait();
    return () => clearTimeout(timer);
  },
});

/** The system's clock. */
export const realClock: Clock = scheduler(() => Date.now(), 1);

/**
 * A clock that showed `startMs` when it started, `sinceMs` ago, and runs `factor` times as fast as the system's, in
 * whole milliseconds too.
 */
export const fastClock = (factor: number, startMs: number, sinceMs = 0): Clock => {
  const origin = performance.now() - sinceMs;
  return scheduler(() => Math.floor(startMs + (performance.now() - origin) * factor), factor);
};

const Started = z.object({ startMs: z.number() });

/**
 * A fast clock that runs on while its host is away: a host that starts again in the same folder must not show a time
 * before that of its timers.
 */
export const keptFastClock = async (factor: number, dataDir: string): Promise<Clock> => {
  const file = join(dataDir, "clock.json");
  await mkdir(dataDir, { recursive: true });
  // Only the first start writes it.
  await writeFile(file, JSON.stringify({ startMs: Date.now() }), { flag: "wx" }).catch(ignoreExisting);
  const { startMs } = Started.parse(JSON.parse(await readFile(file, "utf8")));
  return fastClock(factor, startMs, Date.now() - startMs);
};

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "EEXIST") throw error;
};
