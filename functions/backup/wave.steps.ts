import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import type { BackupProgress, RunPosition } from "./backup.contract.ts";

export const noProgress: BackupProgress = {
  wave: 0,
  lanes: MAILBOX_SLOTS,
  position: { nextChunk: 0, planned: false, at: { chunk: 0, batch: 0 }, again: [] },
  expectedItems: 0,
  itemsPerSecond: 0,
  totals: {
    planned: 0,
    exported: 0,
    skipped: 0,
    failed: 0,
    again: 0,
    removed: 0,
    bytes: 0,
    storedBytes: 0,
    throttled: 0,
  },
};

/** Whether everything is planned and every batch is exported. */
export const isDone = ({ nextChunk, planned, at, again }: RunPosition): boolean =>
  planned && at.chunk >= nextChunk && again.length === 0;
