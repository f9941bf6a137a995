import type * as z from "zod";
import type { planRestore } from "../restore.contract.ts";
import type { RestoreItem } from "../restore-state.ts";
import type { MatchedItem } from "./match-copies.ts";

/** What to do with an item of the snapshot: import it, leave it out as present, or leave it to another restore. */
export type Decision = RestoreItem | "present" | "not-reviewed";

/** Decides about an item by its live copy in the target, if it has one. */
export type Decide = (matched: MatchedItem) => Decision;

/**
 * Whether a plan is carried out that must be matched with the mailbox again. Where items go into a new folder, or
 * beside their copies, nothing that came back meanwhile changes what was reviewed.
 */
export const isMatchedAgain = ({
  planOf,
  target,
  onConflict,
}: Pick<z.output<typeof planRestore.input>, "planOf" | "target" | "onConflict">): boolean =>
  planOf !== undefined && target === "original" && onConflict !== "duplicate";

/** Without a review: by what the caller wants of an item with a copy in its place. */
export const decideAnew =
  (onConflict: "skip" | "duplicate" | "replace"): Decide =>
  ({ item, copy }) => {
    if (copy === undefined) return item;
    if (onConflict === "skip" || copy.changeKey === item.changeKey) return "present";
    return { ...item, replaces: { id: copy.id, changeKey: copy.changeKey } };
  };

/**
 * For a plan that was reviewed: what it would import, and has no copy yet. What came back since the review is present.
 * What went away since was not reviewed. A copy that was to be replaced still goes by the version that was reviewed, so
 * Exchange refuses to replace a later one.
 */
export const decideAsReviewed: Decide = ({ item, copy, reviewed }) => {
  if (copy === undefined) return reviewed === undefined ? "not-reviewed" : item;
  const replaces = reviewed?.replaces;
  return replaces === undefined || copy.changeKey === item.changeKey ? "present" : { ...item, replaces };
};
