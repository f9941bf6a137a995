import type { BackupProgress } from "./backup.contract.ts";

/** What `GET /api/jobs/{id}` shows of a backup while it runs. */
export interface BackupStatus {
  readonly phase: "opening" | "waiting" | "exporting" | "committing" | "done";
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

/** The rate is that of the last wave; what is left is the larger of what was announced and what was planned. */
export const backupStatus = (
  phase: BackupStatus["phase"],
  runId: string,
  { totals, lanes, itemsPerSecond, expectedItems }: BackupProgress,
): BackupStatus => {
  const { planned, exported, skipped, failed, bytes, throttled } = totals;
  const left = Math.max(0, Math.max(expectedItems, planned) - exported - skipped - failed);
  return {
    phase,
    runId,
    planned,
    exported,
    skipped,
    failed,
    bytes,
    itemsPerSecond: Math.round(itemsPerSecond * 10) / 10,
    lanes,
    throttled,
    ...(itemsPerSecond === 0 ? {} : { etaSeconds: Math.ceil(left / itemsPerSecond) }),
  };
};
