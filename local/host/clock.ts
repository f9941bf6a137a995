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

/** A clock that starts at `startMs` and runs `factor` times as fast as the system's, in whole milliseconds too. */
export const fastClock = (factor: number, startMs: number): Clock => {
  const origin = performance.now();
  return scheduler(() => Math.floor(startMs + (performance.now() - origin) * factor), factor);
};
