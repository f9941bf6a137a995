import type * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import type { planRestore } from "../restore.contract.ts";
import { type RestoreItem, readRestoreChunk, readRestorePlan } from "../restore-state.ts";
import type { LiveCopy } from "./live-copies.ts";

/** What to do with an item of the snapshot: import it, leave it out as present, or leave it to another restore. */
export type Decision = RestoreItem | "present" | "not-reviewed";

/** Decides about an item by its live copy in the target, if it has one. */
export type Decide = (item: PutRecord, copy: LiveCopy | undefined) => Decision;

/**
 * Whether a plan is carried out that must be matched with the mailbox again. Where items go into a new folder, or
 * beside their copies, nothing that came back meanwhile changes what was reviewed.
 */
export const isMatchedAgain = ({ planOf, target, onConflict }: z.output<typeof planRestore.input>): boolean =>
  planOf !== undefined && target === "original" && onConflict !== "duplicate";

/** Without a review: by what the caller wants of an item with a copy in its place. */
export const decideAnew =
  (onConflict: "skip" | "duplicate" | "replace"): Decide =>
  (item, copy) => {
    if (copy === undefined) return item;
    return onConflict === "skip" || copy.changeKey === item.changeKey ? "present" : { ...item, replaces: copy };
  };

/**
 * For a plan that was reviewed: what it would import, and has no copy yet. What came back since the review is present.
 * What went away since was not reviewed. A copy that was to be replaced still goes by the version that was reviewed, so
 * Exchange refuses to replace a later one.
 */
export const decideAsReviewed = async (work: Blobs, planOf: RunId): Promise<Decide> => {
  const plan = await readRestorePlan(work, planOf);
  const wanted = itemSet();
  const replaced = new Map<string, LiveCopy>();
  for (let chunk = 0; chunk < plan.chunks; chunk += 1)
    for (const item of await readRestoreChunk(work, planOf, plan, chunk)) {
      wanted.add(item);
      if (item.replaces !== undefined) replaced.set(keyOf(item), item.replaces);
    }
  return (item, copy) => {
    if (copy === undefined) return wanted.has(item) ? item : "not-reviewed";
    const replaces = replaced.get(keyOf(item));
    return replaces === undefined || copy.changeKey === item.changeKey ? "present" : { ...item, replaces };
  };
};

const keyOf = ({ folderId, id }: Pick<PutRecord, "folderId" | "id">): string => `${folderId}\n${id}`;
