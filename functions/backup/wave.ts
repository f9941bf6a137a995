import type { BackupProgress, BackupTotals, RunPosition } from "../../shared/contracts/backup.ts";
import { MAILBOX_SLOTS } from "../../shared/graph/limits.ts";

export const noProgress: BackupProgress = {
  wave: 0,
  lanes: MAILBOX_SLOTS,
  position: { nextChunk: 0, planned: false, at: { chunk: 0, batch: 0 }, again: [] },
  expectedItems: 0,
  itemsPerSecond: 0,
  totals: { planned: 0, exported: 0, skipped: 0, failed: 0, removed: 0, bytes: 0, storedBytes: 0, throttled: 0 },
};

/** Whether everything is planned, and every batch exported. */
export const isDone = ({ nextChunk, planned, at, again }: RunPosition): boolean =>
  planned && at.chunk >= nextChunk && again.length === 0;

export const addTotals = (totals: BackupTotals, more: BackupTotals): BackupTotals => ({
  planned: totals.planned + more.planned,
  exported: totals.exported + more.exported,
  skipped: totals.skipped + more.skipped,
  failed: totals.failed + more.failed,
  removed: totals.removed + more.removed,
  bytes: totals.bytes + more.bytes,
  storedBytes: totals.storedBytes + more.storedBytes,
  throttled: totals.throttled + more.throttled,
});
