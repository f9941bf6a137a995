import { OutOfTimeError } from "./stopped-work.ts";

/** A counting semaphore, first come, first served. */
export interface Semaphore {
  /**
   * Waits for a slot. Returns a release function; calling it twice is harmless. While it `mayWait`, all others that
   * wait come first.
   *
   * @throws {OutOfTimeError} when there is none until `endsMs`, in milliseconds since the epoch.
   */
  acquire(endsMs?: number, mayWait?: () => boolean): Promise<() => void>;
}

/** The same slots for work that others come before, for as long as it `mayWait`. */
export const behindOthers = (slots: Semaphore, mayWait: () => boolean): Semaphore => ({
  acquire: (endsMs) => slots.acquire(endsMs, mayWait),
});

interface Waiter {
  readonly take: () => void;
  readonly mayWait: () => boolean;
}

export const semaphore = (count: number): Semaphore => {
  const waiting: Waiter[] = [];
  let free = count;

  const release = (): void => {
    const first = waiting.findIndex(({ mayWait }) => !mayWait());
    const [next] = waiting.splice(Math.max(0, first), 1);
    if (next === undefined) free += 1;
    else next.take();
  };

  const wait = (endsMs: number | undefined, mayWait: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const take = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const waiter = { take, mayWait };
      waiting.push(waiter);
      if (endsMs === undefined) return;
      timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(waiter), 1);
        reject(new OutOfTimeError("No slot became free in time"));
      }, endsMs - Date.now());
    });

  return {
    acquire: async (endsMs, mayWait = () => false) => {
      if (free > 0) free -= 1;
      else await wait(endsMs, mayWait);
      let held = true;
      return () => {
        if (held) release();
        held = false;
      };
    },
  };
};
