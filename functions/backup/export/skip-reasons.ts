/** Why an item cannot be exported, if that is true. */
export type SkipReason = "gone" | "corrupt";

/**
 * Graph's codes for items that can never be exported. Each has been seen to pass too, so one answer proves nothing.
 * Any other code is unknown.
 */
const PERMANENT: ReadonlyMap<string, SkipReason> = new Map([
  // Deleted or moved since it was listed; the next delta shows which. Seen in a mailbox copy product's handling.
  ["erroritemnotfound", "gone"],
  // Exchange cannot read the stored item. Seen in the same product's fixtures, and as CorruptData in a backup tool's
  // table.
  ["errorcorruptdata", "corrupt"],
  ["erroritemcorrupt", "corrupt"],
]);

/** How long a refusal must last, over at least two runs, to be final. */
export const FINAL_AFTER_MS = 24 * 3_600_000;

export const skipReason = (code: string): SkipReason | undefined => PERMANENT.get(code.toLowerCase());
