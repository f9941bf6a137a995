import { OutOfTimeError } from "./stopped-work.ts";

/** A counting semaphore, first come, first served. */
export interface Semaphore {
  /**
   * Waits for a slot. Returns a release function; calling it twice is harmless.
   *
   * @throws {OutOfTimeError} when there is none until `endsMs`, in milliseconds since the epoch.
   */
  acquire(endsMs?: number): Promise<() => void>;
}

export const semaphore = (count: number): Semaphore => {
  const waiting: (() => void)[] = [];
  let free = count;

  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };

  const wait = (endsMs: number | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const take = (): void => {
        clearTimeout(timer);
        resolve();
      };
      waiting.push(take);
      if (endsMs === undefined) return;
      timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(new OutOfTimeError("No slot became free in time"));
      }, endsMs - Date.now());
    });

  return {
    acquire: async (endsMs) => {
      if (free > 0) free -= 1;
      else await wait(endsMs);
      let held = true;
      return () => {
        if (held) release();
        held = false;
      };
    },
  };
};
