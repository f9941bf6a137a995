import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import type * as z from "zod";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { placeInstance } from "../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { ListStatus, PlaceStatus, RestoreStatus } from "./restore.progress.ts";
import { RestoredItems } from "./restore-list.contract.ts";

// Only the fields that are needed: an earlier version of the app may have written a status without the others.
const List = ListStatus.pick({ restores: true, places: true }).loose();
const Place = PlaceStatus.extend({ items: RestoredItems.pick({ imported: true, replaced: true, bytes: true }) });
const Restore = RestoreStatus.pick({
  items: true,
  imported: true,
  replaced: true,
  ambiguous: true,
  failed: true,
  importedBytes: true,
  paused: true,
});

const NOTHING = { complete: 0, partial: 0, failed: 0, imported: 0, replaced: 0, bytes: 0 };

/**
 * The progress of a list of restores: its own status, the sums over its places and the restores that run, and an
 * estimate of the time left. The estimate assumes that every restore takes as long as those so far. Restores end
 * between the lookups, so sums may lag by one restore for each place.
 */
export const listProgress = async (
  client: Pick<DurableClient, "getStatus">,
  { instanceId, createdTime, customStatus }: DurableOrchestrationStatus,
  nowMs: number,
) => {
  const list = List.safeParse(customStatus);
  if (!list.success) return customStatus;
  const { restores, places } = list.data;
  let sums = NOTHING;
  /** In restores: one that is half done counts as a half. */
  let done = 0;
  const running: string[] = [];
  let alive = 0;
  let paused = 0;
  for (let place = 0; place < places; place += 1) {
    const found = await findInstance(client, placeInstance(place, instanceId));
    if (isAlive(found)) alive += 1;
    const status = Place.safeParse(found?.customStatus);
    if (!status.success) continue;
    if (status.data.paused) paused += 1;
    const { complete, partial, failed, items, running: job } = status.data;
    sums = addCounts(sums, { complete, partial, failed, ...items });
    done += complete + partial + failed;
    if (job === undefined) continue;
    running.push(job);
    const restore = Restore.safeParse((await findInstance(client, job))?.customStatus).data;
    if (restore === undefined) continue;
    if (restore.paused) paused += 1;
    sums = addCounts(sums, { ...NOTHING, ...restore, failed: 0, bytes: restore.importedBytes });
    done += settledShare(restore);
  }
  const waiting = Math.max(0, restores - sums.complete - sums.partial - sums.failed - running.length);
  const elapsedMs = nowMs - Date.parse(String(createdTime));
  const eta = done === 0 ? {} : { etaSeconds: Math.ceil(((restores - done) * elapsedMs) / done / 1000) };
  // It is paused once all of its places are.
  const isPaused = paused > 0 && paused >= alive;
  return { ...list.data, ...sums, waiting, running, ...eta, ...(isPaused && { paused: true }) };
};

const settledShare = ({ items, imported, replaced, ambiguous, failed }: z.output<typeof Restore>): number =>
  items === 0 ? 0 : Math.min(1, (imported + replaced + ambiguous + failed) / items);
