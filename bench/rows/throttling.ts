import { aMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, sum } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { refusals } from "../targets.ts";

const NAMES = ["ada", "bo", "cara", "dee"];
const ITEMS_EACH = 4_000;
const ITEM_BYTES = 4_000;
const LATENCY_MS = 100;

/** Several mailboxes at the same time, so that lanes of all are spread over the app's processes. */
export const throttling = (processes: number): Measurement => {
  const row = refusals(processes);
  return {
    rows: [row],
    measure: (bench) => {
      const mailboxes = NAMES.map((name) => aMailbox(name, ITEMS_EACH, ITEM_BYTES));
      return withStack(bench, { mailboxes, latencyMs: LATENCY_MS, workers: processes }, async (measured) => {
        bench.say(`Backing up ${NAMES.length} mailboxes of ${ITEMS_EACH} items with ${processes} app processes`);
        const { stack } = measured;
        await Promise.all(measured.mailboxes.map((mailbox) => backUp(stack, mailbox, ITEMS_EACH)));
        const { throttled } = await graphCounters(measured);
        return new Map([[row, sum(throttled)]]);
      });
    },
  };
};
