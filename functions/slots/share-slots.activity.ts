import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { takeSlots } from "./mailbox-slots.ts";
import { shareSlots } from "./slots.contract.ts";

/** Shares a mailbox's request slots between the jobs that work on it. Run twice, the first grant stands. */
export const shareSlotsActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(shareSlots, async ({ mailboxKey, ...request }) => ({
    granted: await takeSlots(deps.work, mailboxKey, request, Date.now()),
  }));
