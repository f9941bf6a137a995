import { setTimeout as delay } from "node:timers/promises";
import { PATIENTLY } from "./limits.ts";

/** Looks again and again until there is something. What never comes fails the test by name. */
export const eventually = async <T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  const deadline = performance.now() + PATIENTLY.timeout;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error(`There was no ${what}`);
    await delay(PATIENTLY.interval);
  }
};
