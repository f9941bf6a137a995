/**
 * Maps with at most `width` calls at a time; results keep the order. After the first failure, it rejects and starts no
 * more.
 */
export const mapBounded = async <T, R>(
  values: readonly T[],
  width: number,
  map: (value: T) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = new Array(values.length);
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < values.length && !failed) {
      const index = next;
      next += 1;
      try {
        results[index] = await map(values[index] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, values.length) }, worker));
  return results;
};

/** Waits for all, also when one fails, then rejects with the first failure: nothing goes on in the background. */
export const allOf = async <T extends readonly unknown[]>(
  work: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> => {
  const outcomes = await Promise.allSettled(work);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return Promise.all(work) as Promise<unknown> as Promise<T>;
};
