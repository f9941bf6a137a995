import * as z from "zod";
import type { Stack } from "../local/stack/stack.ts";
import type { BenchStack } from "./bench-stack.ts";

const Counts = z.record(z.string(), z.number());

const GraphCounters = z.object({
  requests: Counts,
  throttled: Counts,
  mailboxes: z.record(
    z.string(),
    z.object({ requests: z.number(), busyMs: z.number(), highestConcurrency: z.number() }),
  ),
});
type GraphCounters = z.output<typeof GraphCounters>;

const StorageCounters = z.object({ kinds: z.object({ write: z.number() }) });

export const graphCounters = async ({ graph }: BenchStack): Promise<GraphCounters> =>
  GraphCounters.parse(await graph.counters());

/** The requests that changed the storage, as Azure bills them. */
export const storageWriteCount = async ({ storageUrl }: Stack): Promise<number> => {
  const answer = await fetch(new URL("/__admin/counters", storageUrl));
  return StorageCounters.parse(await answer.json()).kinds.write;
};

export const resetCounters = async ({ graph, stack }: BenchStack): Promise<void> => {
  await graph.run("reset-counters");
  await fetch(new URL("/__admin/reset", stack.storageUrl), { method: "POST" });
};

export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
