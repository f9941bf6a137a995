import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { restoreInstance } from "../../shared/contracts/job-ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { estimatedEnd, RestoreStatus } from "./restore.progress.ts";
import { findLiveProgress, type LiveProgress } from "./upload/live-progress.ts";

/**
 * The progress of a restore, which its own status shows as of its last wave, with what the wave under way has done
 * since. It is at most 5 s old.
 */
export const restoreProgress =
  (work: Blobs) =>
  async (
    _client: Pick<DurableClient, "getStatus">,
    { instanceId, customStatus }: DurableOrchestrationStatus,
  ): Promise<unknown> => {
    const status = RestoreStatus.safeParse(customStatus);
    const restoreId = restoreInstance.parse(instanceId)?.[0];
    if (!status.success || status.data.phase !== "importing" || restoreId === undefined) return customStatus;
    const live = await findLiveProgress(work, restoreId);
    return live === undefined ? customStatus : withLive(status.data, live);
  };

/** Whichever is newer: no count ever goes back. */
const withLive = (status: RestoreStatus, { itemsPerSecond, ...live }: LiveProgress): RestoreStatus => {
  const settled = live.imported + live.replaced + live.ambiguous + live.failed;
  if (settled <= status.imported + status.replaced + status.ambiguous + status.failed) return status;
  const { bytes: importedBytes, ...counts } = live;
  return { ...status, ...counts, importedBytes, ...estimatedEnd(itemsPerSecond, status.items - settled) };
};
