/** Why an item is skipped for good: no retry would bring it. */
export type SkipReason = "gone" | "corrupt";

/**
 * Graph's codes for items that can never be exported. Any other code is unknown: it fails the item, and later runs try
 * again.
 */
const PERMANENT: ReadonlyMap<string, SkipReason> = new Map([
  // Deleted or moved since it was listed; the next delta shows which. Seen in a mailbox copy product's handling.
  ["erroritemnotfound", "gone"],
  // Exchange cannot read the stored item. Seen in the same product's fixtures, and as CorruptData in a backup tool's
  // table.
  ["errorcorruptdata", "corrupt"],
  ["erroritemcorrupt", "corrupt"],
]);

export const skipReason = (code: string): SkipReason | undefined => PERMANENT.get(code.toLowerCase());
