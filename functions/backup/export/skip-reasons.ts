/** Why an item is left out for good: no retry will bring it. */
export type SkipReason = "gone" | "corrupt";

/**
 * Graph's codes for items that cannot be exported, ever. Whatever is not here is unknown, and fails the item until a
 * later run succeeds.
 */
const PERMANENT: ReadonlyMap<string, SkipReason> = new Map([
  // Deleted or moved since it was listed; delta tells the rest. Seen in a mailbox copy product's handling.
  ["erroritemnotfound", "gone"],
  // Exchange cannot read the stored item. Seen in the same product's fixtures, and as CorruptData in a backup tool's
  // table.
  ["errorcorruptdata", "corrupt"],
  ["erroritemcorrupt", "corrupt"],
]);

export const skipReason = (code: string): SkipReason | undefined => PERMANENT.get(code.toLowerCase());
