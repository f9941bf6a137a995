import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../contract.ts";
import type { Hub } from "./hub.ts";
import { Value } from "./record.ts";

const instanceId = z.string();

/** What a client in another process asks of the hub. */
const Order = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("start"),
    instanceId,
    name: z.string(),
    input: Value,
    executionId: z.string(),
    atMs: z.number(),
  }),
  z.object({ kind: z.literal("event"), instanceId, name: z.string(), input: Value }),
  z.object({ kind: z.literal("terminate"), instanceId, output: z.string() }),
  z.object({ kind: z.literal("suspend"), instanceId, suspended: z.boolean(), reason: z.string() }),
  z.object({ kind: z.literal("purge"), instanceId }),
]);
export type Order = z.infer<typeof Order>;

/** A queue of orders, each in a file of its own until it was carried out. */
export interface OrderQueue {
  send(order: Order): Promise<void>;
  /** Every order that waits, in the order in which they came. */
  waiting(): Promise<{ readonly order: Order; done(): Promise<void> }[]>;
}

const SUFFIX = ".json";

export const orderQueue = (directory: string): OrderQueue => {
  let sent = 0;
  const read = async (name: string): Promise<{ order: Order; done(): Promise<void> }[]> => {
    const path = join(directory, name);
    const text = await readIfThere(path);
    if (text === undefined) return [];
    return [{ order: Order.parse(JSON.parse(text)), done: () => rm(path, { force: true }) }];
  };

  return {
    async send(order) {
      await mkdir(directory, { recursive: true });
      sent += 1;
      const place = [Date.now(), sent].map((number) => String(number).padStart(15, "0")).join("-");
      const path = join(directory, `${place}-${randomUUID()}${SUFFIX}`);
      await writeFile(`${path}.new`, JSON.stringify(order));
      await rename(`${path}.new`, path);
    },
    async waiting() {
      const names = (await namesIn(directory)).filter((name) => name.endsWith(SUFFIX)).toSorted();
      return (await Promise.all(names.map(read))).flat();
    },
  };
};

/** The shortest pause between two looks at a queue is this part of the longest, as 50 ms are of 30 s. */
const SHORTEST = 1 / 600;

/**
 * Carries orders out. Each look that finds nothing doubles the pause before the next one, up to `longestMs`. Returns
 * what ends it. Source: BackoffPollingHelper.cs.
 */
export const carryOut = (queue: OrderQueue, hub: Hub, clock: Clock, longestMs: number): (() => Promise<void>) => {
  let pauseMs = longestMs * SHORTEST;
  let cancel = (): void => undefined;
  let stopped = false;
  let looking: Promise<void> = Promise.resolve();

  const look = async (): Promise<void> => {
    const waiting = await queue.waiting();
    for (const { order, done } of waiting) {
      if (stopped) return;
      await execute(hub, order);
      await done();
    }
    pauseMs = waiting.length > 0 ? longestMs * SHORTEST : Math.min(longestMs, pauseMs * 2);
    if (!stopped) wait();
  };
  const wait = (): void => {
    cancel = clock.at(clock.now() + Math.max(1, pauseMs), () => {
      looking = look();
    });
  };
  wait();
  return async () => {
    stopped = true;
    cancel();
    await looking;
  };
};

/** An order for an instance that is not there, or has ended, has no effect. */
const execute = async (hub: Hub, order: Order): Promise<void> => {
  const loaded = hub.get(order.instanceId);
  if (order.kind === "start") {
    if (loaded?.instance.start.executionId !== order.executionId) await hub.startNew(order);
    return;
  }
  if (loaded === undefined) return;
  if (order.kind === "purge") await hub.purge(loaded);
  if (loaded.instance.end !== undefined) return;
  if (order.kind === "event") await hub.raiseEvent(loaded, order.name, order.input);
  if (order.kind === "terminate") await hub.terminate(loaded, order.output);
  if (order.kind === "suspend") await hub.suspend(loaded, order.suspended, order.reason);
};

const namesIn = async (directory: string): Promise<string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
};

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
