/** A queue that takes work from each key in turn: a thousand activities of one instance do not block one of another. */
export interface FairQueue {
  push(key: string, run: () => Promise<void>): void;
  /** Drops the work that has not begun. */
  clear(): void;
}

/** Runs up to `limit()` tasks at a time. A task must not throw: that is the caller's bug, and ends the process. */
export const fairQueue = (limit: () => number): FairQueue => {
  const waiting = new Map<string, (() => Promise<void>)[]>();
  let running = 0;

  const next = (): (() => Promise<void>) | undefined => {
    const [first] = waiting;
    if (first === undefined) return undefined;
    const [key, line] = first;
    const run = line.shift();
    waiting.delete(key);
    if (line.length > 0) waiting.set(key, line);
    return run;
  };

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
      const run = next();
      if (run === undefined) return;
      void work(run);
    }
  };

  return {
    push(key, run) {
      const line = waiting.get(key);
      if (line === undefined) waiting.set(key, [run]);
      else line.push(run);
      fill();
    },
    clear: () => waiting.clear(),
  };
};
