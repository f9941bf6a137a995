/** Calls `open` once for each key, also for calls at the same time. A failure is remembered too. */
export const memoize = <T>(open: (key: string) => Promise<T>): ((key: string) => Promise<T>) => {
  const opened = new Map<string, Promise<T>>();
  return (key) => {
    const value = opened.get(key) ?? open(key);
    opened.set(key, value);
    return value;
  };
};
