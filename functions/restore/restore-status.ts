import type { RestorePlan, RestoreTotals } from "../../shared/contracts/restore.ts";

/** What `GET /api/jobs/{id}` shows of a restore while it runs. */
export interface RestoreStatus {
  readonly phase: "planning" | "folders" | "importing" | "reconciling" | "done";
  readonly items: number;
  readonly present: number;
  readonly bytes: number;
  readonly imported: number;
  readonly ambiguous: number;
  readonly failed: number;
  readonly importedBytes: number;
  readonly throttled: number;
}

export const restoreStatus = (
  phase: RestoreStatus["phase"],
  plan: Pick<RestorePlan, "items" | "present" | "bytes">,
  { imported, ambiguous, failed, bytes, throttled }: RestoreTotals,
): RestoreStatus => ({
  phase,
  items: plan.items,
  present: plan.present,
  bytes: plan.bytes,
  imported,
  ambiguous,
  failed,
  importedBytes: bytes,
  throttled,
});
