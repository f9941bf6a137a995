import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { placeInstance } from "../../shared/contracts/job-ids.ts";
import { findInstance } from "../../shared/durable/start-once.ts";

const Count = z.int().nonnegative();

const TenantStatus = z.looseObject({ places: Count });
const PlaceStatus = z.looseObject({
  complete: Count,
  partial: Count,
  failed: Count,
  items: Count,
  bytes: Count,
  running: z.string(),
});
const MailboxStatus = z.looseObject({ exported: Count, bytes: Count });

/**
 * What a tenant-wide backup has done: its own status, and the sums over its places and the mailboxes that they are at.
 * Mailboxes end between the looks that this takes, so sums may lag by one mailbox a place.
 */
export const tenantProgress = async (
  client: Pick<DurableClient, "getStatus">,
  { instanceId, customStatus }: Pick<DurableOrchestrationStatus, "instanceId" | "customStatus">,
) => {
  const tenant = TenantStatus.safeParse(customStatus);
  if (!tenant.success) return customStatus;
  const sums = { complete: 0, partial: 0, failed: 0, items: 0, bytes: 0 };
  const running: string[] = [];
  for (let place = 0; place < tenant.data.places; place += 1) {
    const status = PlaceStatus.safeParse((await findInstance(client, placeInstance(place, instanceId)))?.customStatus);
    if (!status.success) continue;
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += status.data[key];
    running.push(status.data.running);
    const mailbox = MailboxStatus.safeParse((await findInstance(client, status.data.running))?.customStatus);
    sums.items += mailbox.data?.exported ?? 0;
    sums.bytes += mailbox.data?.bytes ?? 0;
  }
  return { ...tenant.data, ...sums, running };
};
