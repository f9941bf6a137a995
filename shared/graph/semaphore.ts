/** A counting semaphore, first come, first served. */
export interface Semaphore {
  /** Waits for a slot. Returns a release function; calling it twice is harmless. */
  acquire(): Promise<() => void>;
}

export const semaphore = (count: number): Semaphore => {
  const waiting: (() => void)[] = [];
  let free = count;

  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };

  return {
    acquire: async () => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let held = true;
      return () => {
        if (held) release();
        held = false;
      };
    },
  };
};
