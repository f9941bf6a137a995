import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { type Hold, isHeld } from "../../shared/vault/head.ts";
import { moveHead } from "../../shared/vault/snapshots.ts";
import { holdLeaver } from "./leaver.contract.ts";
import { LEAVER } from "./leaver-hold.ts";

const DAY_MS = 24 * 3_600_000;

/** Holds a mailbox for the days of the settings. Leaves an active hold alone, also one that an earlier delivery set. */
export const holdLeaverActivity = (deps: { readonly vault: Blobs; readonly holdDays: number }): ActivityHandler =>
  implement(holdLeaver, async ({ mailbox }) => {
    const now = Date.now();
    const wanted: Hold = {
      since: new Date(now).toISOString(),
      reason: LEAVER,
      until: new Date(now + deps.holdDays * DAY_MS).toISOString(),
    };
    const { hold } = await moveHead(deps.vault, mailbox.key, (head) => {
      if (head === undefined) throw new Error(`The head of ${mailbox.key} is missing`);
      return isHeld(head.hold, now) ? head : { ...head, hold: wanted };
    });
    return hold?.until === undefined ? {} : { until: hold.until };
  });
