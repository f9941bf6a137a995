import { join } from "node:path";
import { fileName } from "../../local/host/durable/store.ts";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { aMailbox, onlyMailbox, withStack } from "../bench-stack.ts";
import { followHistory } from "../history-file.ts";
import type { Bench, Measurement } from "../measurement.ts";
import { appProcesses, peakMemoryMib } from "../memory.ts";
import { backUp } from "../orchestration.ts";
import * as targets from "../targets.ts";

const SMALL = 10_000;
const ITEM_BYTES = 1_000;

/**
 * Lanes short enough for a wave to have about as many items as one of 100 s at 1 s a request: history consists of
 * waves.
 */
const LANE_SECONDS = 5;

/** With the limit of 10,000 requests in 10 minutes, a million items would take an hour; that of 4 at a time stays. */
const LIMITS = { maxRequests: 1_000_000_000 };

interface Figures {
  readonly historyBytes: number;
  readonly largestBytes: number;
  readonly replayMs: number;
  readonly turns: number;
  readonly seconds: number;
  readonly memoryMib: number;
}

const measureMailbox = (bench: Bench, items: number): Promise<Figures> => {
  const options = { mailboxes: [aMailbox("ada", items, ITEM_BYTES)], limits: LIMITS, laneSeconds: LANE_SECONDS };
  return withStack(bench, options, async (measured) => {
    const { stack, invocations, dataDir } = measured;
    const mailbox = onlyMailbox(measured);
    bench.say(`Backing up ${items.toLocaleString("en")} items and watching the history`);
    const [pid = 0] = await appProcesses(stack);
    const instance = `${fileName(backupInstance(mailbox.key))}.jsonl`;
    const history = followHistory(join(dataDir, "host/taskhub/MailboxVault/instances", instance));
    try {
      const { seconds } = await backUp(stack, mailbox, items);
      const { count: turns, totalMs: replayMs } = invocations.of("backup-mailbox");
      const { totalBytes: historyBytes, largestBytes } = await history.end();
      return { historyBytes, largestBytes, replayMs, turns, seconds, memoryMib: await peakMemoryMib(pid) };
    } finally {
      await history.end();
    }
  });
};

const rowsOf = (items: number) => ({
  history: targets.historyBytes(items),
  largest: targets.largestHistory(items),
  replay: targets.replayTime(items),
  turn: targets.turnTime(items),
  time: targets.itemTime(items),
  memory: targets.peakMemory(`${items.toLocaleString("en")} items of 1 KB`),
});

const valuesOf = (items: number, figures: Figures, rows: ReturnType<typeof rowsOf>) => {
  const perThousand = (value: number): number => (value / items) * 1000;
  return [
    [rows.history, perThousand(figures.historyBytes)],
    [rows.largest, figures.largestBytes / 1024],
    [rows.replay, perThousand(figures.replayMs)],
    [rows.turn, figures.replayMs / figures.turns],
    [rows.time, perThousand(figures.seconds)],
    [rows.memory, figures.memoryMib],
  ] as const;
};

/** The history of a mailbox of 10,000 items in the task hub and, on request, how much more a large one has. */
export const history = (large: number | undefined): Measurement => {
  const smallRows = rowsOf(SMALL);
  if (large === undefined)
    return {
      rows: Object.values(smallRows),
      measure: async (bench) => new Map(valuesOf(SMALL, await measureMailbox(bench, SMALL), smallRows)),
    };
  const largeRows = rowsOf(large);
  return {
    rows: [...Object.values(smallRows), ...Object.values(largeRows), targets.historyGrowth, targets.replayGrowth],
    measure: async (bench) => {
      const few = await measureMailbox(bench, SMALL);
      const many = await measureMailbox(bench, large);
      const scale = SMALL / large;
      return new Map([
        ...valuesOf(SMALL, few, smallRows),
        ...valuesOf(large, many, largeRows),
        [targets.historyGrowth, (many.historyBytes / few.historyBytes) * scale],
        [targets.replayGrowth, (many.replayMs / few.replayMs) * scale],
      ]);
    },
  };
};
