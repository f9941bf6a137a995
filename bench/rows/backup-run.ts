import { EXPORT_ITEMS_LIMIT, MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { aMailbox, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, storageWriteCount } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { itemRate, requestRatio, slotUse, storageWrites } from "../targets.ts";

/**
 * Small enough for two cores to run the app, Graph and the storage together, so that only the wait for Graph counts.
 */
const ITEM_BYTES = 10_000;

/** The approximate duration of a run when no slot is ever idle. */
const RUN_SECONDS = 90;

/** Requests of a run that do not export: one for each 250 items for pages, and some for folders. */
const EXPORTING_SHARE = 0.9;

const itemsFor = (latencySeconds: number): number =>
  Math.round((MAILBOX_SLOTS / latencySeconds) * RUN_SECONDS * EXPORTING_SHARE) * EXPORT_ITEMS_LIMIT;

export interface RunCounts {
  readonly items: number;
  readonly folders: number;
  readonly pages: number;
  /** Of single items and folders, to prove that they are gone or to learn what no page shows. */
  readonly lookUps: number;
  readonly requests: number;
}

/** Requests over the smallest possible number: full batches, one for each folder, each page once, and look-ups. */
export const overTheLeast = ({ items, folders, pages, lookUps, requests }: RunCounts): number =>
  requests / (Math.ceil(items / EXPORT_ITEMS_LIMIT) + folders + pages + lookUps);

/** The share of the time of all slots in which a request was under way. */
export const useOfSlots = (busyMs: number, wallSeconds: number): number =>
  busyMs / (MAILBOX_SLOTS * wallSeconds * 1000);

/** A full backup run of one mailbox, with all limits on, alone on its stack. */
export const backupRun = (latencySeconds: number, more: { readonly writes: boolean }): Measurement => {
  const [use, ratio, rate] = [slotUse(latencySeconds), requestRatio(latencySeconds), itemRate(latencySeconds)];
  return {
    rows: [use, ratio, rate, ...(more.writes ? [storageWrites] : [])],
    measure: (bench) => {
      const items = itemsFor(latencySeconds);
      const options = { mailboxes: [aMailbox("ada", items, ITEM_BYTES)], latencyMs: latencySeconds * 1000 };
      return withStack(bench, options, async (measured) => {
        const { stack, graph } = measured;
        const mailbox = onlyMailbox(measured);
        bench.say(`Backing up ${items} items at ${latencySeconds} s a request`);
        const writesBefore = await storageWriteCount(stack);
        const { seconds } = await backUp(stack, mailbox, items);
        const { requests, mailboxes: counted } = await graphCounters(measured);
        const { busyMs = 0, requests: all = 0 } = counted[mailbox.id] ?? {};
        const folders = (await graph.folders(mailbox.userId)).length;
        const pages = (requests["items"] ?? 0) + (requests["items-delta"] ?? 0);
        const lookUps = (requests["item"] ?? 0) + (requests["folder"] ?? 0);
        const writes = (await storageWriteCount(stack)) - writesBefore;
        return new Map([
          [use, useOfSlots(busyMs, seconds)],
          [ratio, overTheLeast({ items, folders, pages, lookUps, requests: all })],
          [rate, items / seconds],
          [storageWrites, (writes / items) * 1000],
        ]);
      });
    },
  };
};
