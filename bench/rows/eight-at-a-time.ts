import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { aMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters, sum } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { appProcesses, cpuSeconds, peakMemoryMib } from "../memory.ts";
import { backUp } from "../orchestration.ts";
import { eightCpu, eightMemory, eightRate, eightRefusals, eightShare } from "../targets.ts";

const NAMES = ["ada", "bo", "cara", "dee", "eli", "fay", "gus", "hal"];
const ITEMS_EACH = 6_000;
const ITEM_BYTES = 2_000;
const LATENCY_SECONDS = 1;

/** As many mailboxes as the window has, whose items are small, in one process of the app. */
export const eightAtATime: Measurement = {
  rows: [eightShare, eightRate, eightMemory, eightRefusals, eightCpu],
  measure: (bench) => {
    const mailboxes = NAMES.map((name) => aMailbox(name, ITEMS_EACH, ITEM_BYTES));
    return withStack(bench, { mailboxes, latencyMs: LATENCY_SECONDS * 1000 }, async (measured) => {
      bench.say(`Backing up ${NAMES.length} mailboxes of ${ITEMS_EACH} items at ${LATENCY_SECONDS} s a request`);
      const { stack } = measured;
      const [pid = 0] = await appProcesses(measured.stack);
      await resetCounters(measured);
      const [started, cpuBefore] = [performance.now(), await cpuSeconds(pid)];
      await Promise.all(measured.mailboxes.map((mailbox) => backUp(stack, mailbox, ITEMS_EACH)));
      const seconds = (performance.now() - started) / 1000;
      const cpu = (await cpuSeconds(pid)) - cpuBefore;
      const { throttled, mailboxes: counted, requests } = await graphCounters(measured);
      const all = Object.values(counted);
      const highest = Math.max(...all.map(({ highestConcurrency }) => highestConcurrency));
      if (highest > MAILBOX_SLOTS) throw new Error(`${highest} requests of a mailbox were under way at once`);
      const items = NAMES.length * ITEMS_EACH;
      const least = sum(requests);
      return new Map([
        [eightShare, (least * LATENCY_SECONDS) / (NAMES.length * MAILBOX_SLOTS * seconds)],
        [eightRate, items / seconds],
        [eightMemory, await peakMemoryMib(pid)],
        [eightRefusals, sum(throttled)],
        [eightCpu, (cpu / items) * 1000],
      ]);
    });
  },
};
