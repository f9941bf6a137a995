/** So many that may do something at a time, such as a mailbox's request slots: whoever has one does, the others wait. */
export interface Slots {
  /** Waits for a slot, first come, first served, and gives what lets go of it; letting go twice is letting go once. */
  take(): Promise<() => void>;
}

export const openSlots = (count: number): Slots => {
  const waiting: (() => void)[] = [];
  let free = count;

  const letGo = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };

  return {
    take: async () => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let held = true;
      return () => {
        if (held) letGo();
        held = false;
      };
    },
  };
};
