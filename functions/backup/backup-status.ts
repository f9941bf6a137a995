import type { BackupProgress } from "../../shared/contracts/backup.ts";

/** What `GET /api/jobs/{id}` shows of a backup while it runs. */
export interface BackupStatus {
  readonly phase: "waiting" | "opening" | "exporting" | "committing" | "done";
  readonly runId: string;
  readonly planned: number;
  readonly exported: number;
  readonly skipped: number;
  readonly failed: number;
  readonly bytes: number;
  readonly itemsPerSecond: number;
  readonly lanes: number;
  readonly throttled: number;
  /** Absent while there is nothing to reckon with. */
  readonly etaSeconds?: number;
}

/** Items in a full batch, to turn batches a second into items a second. */
const BATCH_ITEMS = 20;

/** The rate is that of the last wave; what is left is the larger of what was announced and what was planned. */
export const backupStatus = (
  phase: BackupStatus["phase"],
  runId: string,
  { totals, lanes, batchMs }: BackupProgress,
  expectedItems: number,
): BackupStatus => {
  const { planned, exported, skipped, failed, bytes, throttled } = totals;
  const itemsPerSecond = batchMs === 0 ? 0 : Math.round((lanes * BATCH_ITEMS * 1000) / batchMs);
  const left = Math.max(0, Math.max(expectedItems, planned) - exported - skipped - failed);
  return {
    phase,
    runId,
    planned,
    exported,
    skipped,
    failed,
    bytes,
    itemsPerSecond,
    lanes,
    throttled,
    ...(itemsPerSecond === 0 ? {} : { etaSeconds: Math.ceil(left / itemsPerSecond) }),
  };
};
