import type { RestorePlan, RestoreResult } from "./restore.contract.ts";
import type { RestoredItems, RestoreOutcomes } from "./restore-list.contract.ts";

export const NO_ITEMS: RestoredItems = {
  planned: 0,
  imported: 0,
  replaced: 0,
  present: 0,
  ambiguous: 0,
  failed: 0,
  missing: 0,
  bytes: 0,
  surplus: 0,
};

/** What a place has come to that has run no restore. */
export const NO_OUTCOMES: RestoreOutcomes = { complete: 0, partial: 0, failed: 0, failures: [], items: NO_ITEMS };

/** What one restore did, or its dry run would do. */
export const restoredItems = (ended: RestoreResult | RestorePlan): RestoredItems => {
  if ("chunks" in ended) {
    const { items: planned, present, bytes } = ended;
    return { ...NO_ITEMS, planned, present, bytes };
  }
  const { stopped: _, ...counts } = ended;
  const { imported, replaced, ambiguous, failed, missing, surplus = 0 } = counts;
  return { ...counts, surplus, planned: imported + replaced + ambiguous + failed + missing };
};

/** Whether every planned item came back. */
export const isWhole = ({ ambiguous, failed, missing }: RestoredItems): boolean => ambiguous + failed + missing === 0;
