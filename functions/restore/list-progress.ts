import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { placeInstance } from "../../shared/contracts/job-ids.ts";
import { findInstance } from "../../shared/durable/start-once.ts";

const Count = z.int().nonnegative();

const ListStatus = z.looseObject({ restores: Count, places: Count });
const PlaceStatus = z.looseObject({
  complete: Count,
  partial: Count,
  failed: Count,
  items: z.object({ imported: Count, replaced: Count, bytes: Count }),
  running: z.string().optional(),
});
const RestoreStatus = z.looseObject({
  items: Count,
  imported: Count,
  replaced: Count,
  ambiguous: Count,
  failed: Count,
  importedBytes: Count,
});

const NOTHING = { complete: 0, partial: 0, failed: 0, imported: 0, replaced: 0, bytes: 0 };

/**
 * What a list of restores has done: its own status, the sums over its places and the restores that they are at, and when it
 * would end if it went on as it did so far, each restore taken for as much work as any other. Restores end between the looks
 * that this takes, so sums may lag by one restore a place.
 */
export const listProgress = async (
  client: Pick<DurableClient, "getStatus">,
  { instanceId, createdTime, customStatus }: DurableOrchestrationStatus,
  nowMs: number,
) => {
  const list = ListStatus.safeParse(customStatus);
  if (!list.success) return customStatus;
  const { restores, places } = list.data;
  let sums = NOTHING;
  /** In restores: one that is half done counts as a half. */
  let done = 0;
  const running: string[] = [];
  for (let place = 0; place < places; place += 1) {
    const status = PlaceStatus.safeParse((await findInstance(client, placeInstance(place, instanceId)))?.customStatus);
    if (!status.success) continue;
    const { complete, partial, failed, items, running: job } = status.data;
    sums = addCounts(sums, { complete, partial, failed, ...items });
    done += complete + partial + failed;
    if (job === undefined) continue;
    running.push(job);
    const restore = RestoreStatus.safeParse((await findInstance(client, job))?.customStatus).data;
    if (restore === undefined) continue;
    sums = addCounts(sums, { ...NOTHING, ...restore, failed: 0, bytes: restore.importedBytes });
    done += settledShare(restore);
  }
  const waiting = Math.max(0, restores - sums.complete - sums.partial - sums.failed - running.length);
  const elapsedMs = nowMs - Date.parse(String(createdTime));
  const eta = done === 0 ? {} : { etaSeconds: Math.ceil(((restores - done) * elapsedMs) / done / 1000) };
  return { ...list.data, ...sums, waiting, running, ...eta };
};

const settledShare = ({ items, imported, replaced, ambiguous, failed }: z.output<typeof RestoreStatus>): number =>
  items === 0 ? 0 : Math.min(1, (imported + replaced + ambiguous + failed) / items);
