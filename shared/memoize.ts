/** Calls `open` once for each key, however many ask at the same time; a failure stays the answer for its key. */
export const memoize = <T>(open: (key: string) => Promise<T>): ((key: string) => Promise<T>) => {
  const opened = new Map<string, Promise<T>>();
  return (key) => {
    const value = opened.get(key) ?? open(key);
    opened.set(key, value);
    return value;
  };
};
