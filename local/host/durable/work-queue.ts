/** Work that waits for its turn, in the order in which it came, whatever instance it is of. */
export interface WorkQueue {
  push(run: () => Promise<void>): void;
  /** Drops the work that has not begun. */
  clear(): void;
}

/** Runs up to `limit()` tasks at a time. A task must not throw: that is the caller's bug, and ends the process. */
export const workQueue = (limit: () => number): WorkQueue => {
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;

  const work = async (run: () => Promise<void>): Promise<void> => {
    running += 1;
    try {
      await run();
    } finally {
      running -= 1;
      fill();
    }
  };

  const fill = (): void => {
    while (running < limit()) {
      const run = waiting.shift();
      if (run === undefined) return;
      void work(run);
    }
  };

  return {
    push(run) {
      waiting.push(run);
      fill();
    },
    clear: () => {
      waiting.length = 0;
    },
  };
};
