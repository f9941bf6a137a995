import * as z from "zod";
import type { Stack } from "../local/stack/stack.ts";
import type { BenchStack } from "./bench-stack.ts";

const Counts = z.record(z.string(), z.number());

const GraphCounters = z.object({
  requests: Counts,
  throttled: Counts,
  itemsExported: z.number(),
  itemsImported: z.number(),
  mailboxes: z.record(
    z.string(),
    z.object({ requests: z.number(), busyMs: z.number(), highestConcurrency: z.number() }),
  ),
});
type GraphCounters = z.output<typeof GraphCounters>;

const StorageCounters = z.object({ kinds: z.object({ write: z.number() }), bytesIn: z.number() });

export const graphCounters = async ({ graph }: BenchStack): Promise<GraphCounters> =>
  GraphCounters.parse(await graph.counters());

const storageCounters = async ({ storageUrl }: Stack) => {
  const answer = await fetch(new URL("/__admin/counters", storageUrl));
  return StorageCounters.parse(await answer.json());
};

/** The requests that changed the storage, as Azure bills them. */
export const storageWriteCount = async (stack: Stack): Promise<number> => (await storageCounters(stack)).kinds.write;

/** The bytes that were written to all containers. */
export const storageBytes = async (stack: Stack): Promise<number> => (await storageCounters(stack)).bytesIn;

export const resetCounters = async ({ graph, stack }: BenchStack): Promise<void> => {
  await graph.run("reset-counters");
  await fetch(new URL("/__admin/reset", stack.storageUrl), { method: "POST" });
};

export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
