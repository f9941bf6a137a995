import { setTimeout as delay } from "node:timers/promises";
import { PATIENCE_MS } from "./limits.ts";

/** Looks again and again until there is something. What never comes fails the test by name. */
export const eventually = async <T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  const began = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    const waited = performance.now() - began;
    if (waited > PATIENCE_MS) throw new Error(`There was no ${what}`);
    // What takes long is looked at less often: a look may cost the machine more than what it waits for.
    await delay(Math.min(50, 2 + waited / 10));
  }
};
