import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { placeInstance } from "../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { BackupStatus, PlaceStatus, TenantStatus } from "./backup.progress.ts";

// Read loosely, and only the fields that count here: a status may be of another version of the app.
const Tenant = TenantStatus.pick({ places: true }).required().loose();
const Place = PlaceStatus.loose();
const Mailbox = BackupStatus.pick({ exported: true, bytes: true, paused: true }).loose();

/**
 * The progress of a tenant-wide backup: its own status, and the sums over its places and over the mailboxes that these
 * back up now. A mailbox may end between these reads, so sums may lag by one mailbox a place.
 */
export const tenantProgress = async (
  client: Pick<DurableClient, "getStatus">,
  { instanceId, customStatus }: Pick<DurableOrchestrationStatus, "instanceId" | "customStatus">,
) => {
  const tenant = Tenant.safeParse(customStatus);
  if (!tenant.success) return customStatus;
  const sums = { complete: 0, partial: 0, failed: 0, goesOn: 0, items: 0, bytes: 0 };
  const running: string[] = [];
  let alive = 0;
  let paused = 0;
  for (let place = 0; place < tenant.data.places; place += 1) {
    const found = await findInstance(client, placeInstance(place, instanceId));
    if (isAlive(found)) alive += 1;
    const status = Place.safeParse(found?.customStatus);
    if (!status.success) continue;
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += status.data[key];
    if (status.data.paused) paused += 1;
    const { running: job } = status.data;
    if (job === undefined) continue;
    running.push(job);
    const mailbox = Mailbox.safeParse((await findInstance(client, job))?.customStatus).data;
    if (mailbox?.paused) paused += 1;
    sums.items += mailbox?.exported ?? 0;
    sums.bytes += mailbox?.bytes ?? 0;
  }
  // It is paused once all of its places are.
  const isPaused = paused > 0 && paused >= alive;
  return { ...tenant.data, ...sums, running, ...(isPaused && { paused: true }) };
};
