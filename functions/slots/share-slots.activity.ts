import type { ActivityHandler } from "durable-functions";
import type { ClientOf } from "../../shared/durable/client.ts";
import { implementThroughOutages } from "../../shared/durable/through-outages.ts";
import { wake } from "../../shared/durable/wake.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { takeSlots } from "./mailbox-slots.ts";
import { shareSlots } from "./slots.contract.ts";

/**
 * Shares a mailbox's request slots between the jobs that work on it, and wakes those that wait for what became free.
 * Run twice, the first grant stands.
 */
export const shareSlotsActivity = (deps: { readonly clientOf: ClientOf; readonly work: Blobs }): ActivityHandler =>
  implementThroughOutages(shareSlots, async ({ mailboxKey, ...request }, context) => {
    const { granted, toWake } = await takeSlots(deps.work, mailboxKey, request);
    if (toWake.length > 0) await wake(deps.clientOf(context), toWake);
    return { granted };
  });
