import { aMailbox, onlyMailbox, withStack } from "../bench-stack.ts";
import { resetCounters, storageBytes } from "../counters.ts";
import type { Bench, Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { retryBytes, retryGrowth } from "../targets.ts";

const FEW = 5_000;
const MANY = 20_000;
const ITEM_BYTES = 1_000;

/** Each failed item is asked for alone, so that the limit of requests would be what is measured. */
const LIMITS = { maxRequests: 1_000_000_000 };

/** Bytes that a run writes for each item of a mailbox, of which the run before could store none. */
const bytesPerItem = (bench: Bench, items: number): Promise<number> =>
  withStack(bench, { mailboxes: [aMailbox("ada", items, ITEM_BYTES)], limits: LIMITS }, async (measured) => {
    const { stack, graph } = measured;
    const mailbox = onlyMailbox(measured);
    bench.say(`Failing to back up ${items.toLocaleString("en")} items, and trying again`);
    await graph.addFault({ kind: "export-item", outcome: "error", code: "ErrorInternalServerError" });
    await backUp(stack, mailbox, 0, "partial");
    await graph.run("clear-faults");
    await resetCounters(measured);
    await backUp(stack, mailbox, items);
    return (await storageBytes(stack)) / items;
  });

/** The run after one in which Graph refused to export any item. */
export const retry: Measurement = {
  rows: [retryBytes, retryGrowth],
  measure: async (bench) => {
    const few = await bytesPerItem(bench, FEW);
    const many = await bytesPerItem(bench, MANY);
    return new Map([
      [retryBytes, many],
      [retryGrowth, many / few],
    ]);
  },
};
