import { aMailbox, withStack } from "../bench-stack.ts";
import type { Measurement } from "../measurement.ts";
import { appProcesses, peakMemoryMib } from "../memory.ts";
import { backUp } from "../orchestration.ts";
import { peakMemory } from "../targets.ts";

/** Items of one size, enough for all four lanes to work for a while. */
export interface MemoryCase {
  readonly what: string;
  readonly itemBytes: number;
  readonly items: number;
}

export const MEMORY_CASES: readonly MemoryCase[] = [
  { what: "items of 1 KB", itemBytes: 1_000, items: 8_000 },
  { what: "items of 10 KB", itemBytes: 10_000, items: 8_000 },
  { what: "items of 1 MB", itemBytes: 1_000_000, items: 400 },
  { what: "items of 20 MB", itemBytes: 20_000_000, items: 32 },
  { what: "items of 150 MB", itemBytes: 150_000_000, items: 8 },
];

/** The app's memory after it has backed up one mailbox, and nothing else, as fast as this machine allows. */
export const memory = ({ what, itemBytes, items }: MemoryCase): Measurement => {
  const row = peakMemory(what);
  return {
    rows: [row],
    measure: (bench) =>
      withStack(bench, { mailboxes: [aMailbox("ada", items, itemBytes)] }, async ({ stack, mailboxes }) => {
        bench.say(`Backing up ${items} ${what}`);
        const [pid = 0] = await appProcesses(stack);
        for (const mailbox of mailboxes) await backUp(stack, mailbox, items);
        return new Map([[row, await peakMemoryMib(pid)]]);
      }),
  };
};
