import { setTimeout as delay } from "node:timers/promises";
import type { BlobClient } from "@azure/storage-blob";
import * as z from "zod";
import { type GraphAdmin, graphAdmin } from "../../local/stack/admin.ts";
import type { Stack } from "../../local/stack/stack.ts";
import type { Random } from "./random.ts";
import { endLease, leasedBlobs } from "./storage-trouble.ts";

/** What was killed, and how often. */
export interface Kills {
  readonly app: number;
  readonly host: number;
}

const Processes = z.object({ processes: z.array(z.object({ processId: z.int().positive() })) });
const Counters = z.looseObject({
  itemsImported: z.int(),
  mailboxes: z.record(z.string(), z.looseObject({ inFlight: z.int() })),
});

/** How long a kill waits for items to arrive that may never come. */
const MAX_WAIT_MS = 20_000;

/** Longest that something a dead process had sent takes to have its effect. */
const SLOWEST_MS = 8_000;

/**
 * Kills the app or the whole host up to three times, while `items` are being restored and until that is over: after
 * some time, or when some share of the items is there, so that every phase is met.
 */
export const killSome = async (
  stack: Stack,
  random: Random,
  { items, isOver }: { readonly items: number; readonly isOver: () => boolean },
): Promise<Kills> => {
  const graph = graphAdmin(stack.graphUrl);
  const kills = { app: 0, host: 0 };
  for (let left = random.number(0, 3); left > 0; left -= 1) {
    const what = random.oneOf(["app", "host"] as const);
    const wait = random.chance(0.5)
      ? delay(random.number(300, 8_000))
      : untilImported(graph, random.number(1, items), isOver);
    await wait;
    if (isOver()) break;
    if (what === "app") await killApp(stack);
    else {
      stack.host.kill();
      await stack.host.ended;
    }
    // What is leased now, before a new process has begun, is what the dead one held.
    await endLeases(await leasedBlobs(stack), graph);
    if (what === "host") await stack.restartHost();
    kills[what] += 1;
  }
  return kills;
};

const countersOf = async (graph: GraphAdmin) => Counters.parse(await graph.counters());

const untilImported = async (graph: GraphAdmin, items: number, isOver: () => boolean): Promise<void> => {
  const until = Date.now() + MAX_WAIT_MS;
  while (Date.now() < until && !isOver() && (await countersOf(graph)).itemsImported < items) await delay(10);
};

const killApp = async ({ host, hostKey }: Stack): Promise<void> => {
  const answer = await fetch(new URL("/admin/host/processes", host.ready.url), {
    headers: { "x-functions-key": hostKey },
  });
  for (const { processId } of Processes.parse(await answer.json()).processes) process.kill(processId, "SIGKILL");
};

/**
 * A dead process's leases end by themselves within a minute; what it had sent has taken effect before that, however
 * slow. A new process may be sending meanwhile, so that it does not get quiet; its own leases stay.
 */
const endLeases = async (leased: readonly BlobClient[], graph: GraphAdmin): Promise<void> => {
  const isQuiet = async () =>
    Object.values((await countersOf(graph)).mailboxes).every(({ inFlight }) => inFlight === 0);
  const until = Date.now() + SLOWEST_MS;
  while (Date.now() < until && !(await isQuiet())) await delay(50);
  for (const blob of leased) await endLease(blob);
};
