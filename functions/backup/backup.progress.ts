import * as z from "zod";
import { Waiting } from "../../shared/durable/waits.ts";
import { BackupOutcomes, type BackupProgress, BackupQueue } from "./backup.contract.ts";

const Count = z.int().nonnegative();

/** The custom status of a tenant-wide backup. */
export const TenantStatus = BackupQueue.extend({
  phase: z.enum(["discovering", "backing-up", "done"]),
  /** Absent until the queue is complete. */
  places: Count.optional(),
});
export type TenantStatus = z.output<typeof TenantStatus>;

/** The custom status of one place in the window of a tenant-wide backup. */
export const PlaceStatus = BackupOutcomes.omit({ failures: true }).extend({
  /** The instance of the mailbox's backup that it waits for. */
  running: z.string().optional(),
  waiting: Waiting.optional(),
  /** It was told to pause, and has. */
  paused: z.literal(true).optional(),
});
export type PlaceStatus = z.output<typeof PlaceStatus>;

/** The custom status of a mailbox's backup. */
export const BackupStatus = z.object({
  phase: z.enum(["opening", "waiting", "exporting", "committing", "done"]),
  runId: z.string(),
  planned: Count,
  exported: Count,
  skipped: Count,
  failed: Count,
  bytes: Count,
  itemsPerSecond: z.number().nonnegative(),
  lanes: Count,
  throttled: Count,
  /** What it waits for, while it does. */
  waiting: Waiting.optional(),
  /** It was told to pause, and has. */
  paused: z.literal(true).optional(),
  /** Absent while there is no rate to estimate it from. */
  etaSeconds: Count.optional(),
});
export type BackupStatus = z.output<typeof BackupStatus>;

/** The rate is that of the last wave. Of the announced and the planned items, the larger number counts as the total. */
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
