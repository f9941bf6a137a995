/** What one restore under faults came to. `lost` and `doubled` must be nothing: everything else is reported to the operator. */
export interface Tally {
  readonly wanted: number;
  readonly restored: number;
  /** Items that are not in the target, and that the restore does not call ambiguous, failed or missing. */
  readonly lost: number;
  /** Items that are in the target more often than they were selected. */
  readonly doubled: number;
  readonly reported: number;
}

const counted = (values: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

/** Compares what a restore should have brought back with what is there, item by item, by the hash of the stream. */
export const tally = (wanted: readonly string[], there: readonly string[], reported: number): Tally => {
  const expected = counted(wanted);
  const found = counted(there);
  let missing = 0;
  let doubled = 0;
  for (const hash of new Set([...expected.keys(), ...found.keys()])) {
    const difference = (found.get(hash) ?? 0) - (expected.get(hash) ?? 0);
    if (difference > 0) doubled += difference;
    else missing -= difference;
  }
  return {
    wanted: wanted.length,
    restored: there.length - doubled,
    lost: Math.max(0, missing - reported),
    doubled,
    reported,
  };
};
