import { randomUUID } from "node:crypto";
import type { Clock, WorkerPool } from "../contract.ts";
import type { HubClient } from "./http-api.ts";
import { begin, hasBegun, type Instance } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import { fold, type LoadedInstance } from "./loaded-instances.ts";
import type { Order, OrderQueue } from "./orders.ts";
import type { Line, Start } from "./record.ts";
import { type RegisteredFunctions, registeredFunctions } from "./registered-functions.ts";
import { readFolder, readInstance } from "./store.ts";

interface RemoteOptions {
  /** The folder of the instances, which another host writes. */
  readonly directory: string;
  readonly values: LargeValues;
  readonly orders: OrderQueue;
  readonly clock: Clock;
  readonly pool: WorkerPool;
}

/**
 * The task hub of another host, by its files: what is there is read, and orders wait until that host looks at its
 * queue.
 */
export const createRemoteHub = (options: RemoteOptions): HubClient & { start(): Promise<void> } => {
  const { directory, values, orders, clock, pool } = options;
  let functions: RegisteredFunctions = registeredFunctions([]);

  /** Instances whose start waits in the queue: their row in the table is there already. */
  const starts = async (): Promise<Map<string, Start>> =>
    new Map(
      (await orders.waiting()).flatMap(({ order }) =>
        order.kind === "start" ? [[order.instanceId, startOf(order)]] : [],
      ),
    );

  const shown = (lines: readonly Line[] | undefined, start: Start | undefined): LoadedInstance | undefined => {
    const instance = lines === undefined ? undefined : fold(lines);
    const isNewer = instance === undefined || instance.end !== undefined || !hasBegun(instance);
    if (start !== undefined && isNewer) return loadedOf(begin(start));
    return instance && loadedOf(instance);
  };

  const get = async (instanceId: string) => {
    // In this order: a start is gone from the queue once its file is there.
    const start = (await starts()).get(instanceId);
    return shown(await readInstance(directory, instanceId), start);
  };

  return {
    async start() {
      functions = registeredFunctions(await pool.functions());
    },
    functions: () => functions,
    get,
    async all() {
      const waiting = await starts();
      const found = await readFolder(directory);
      const ids = new Set(found.map(idOf));
      return [
        ...found.flatMap((lines) => shown(lines, waiting.get(idOf(lines))) ?? []),
        ...[...waiting.values()].flatMap((start) => (ids.has(start.instanceId) ? [] : loadedOf(begin(start)))),
      ];
    },
    withHistory: async ({ instance }) => instance,
    async startNew({ name, instanceId, input }) {
      const earlier = (await get(instanceId))?.instance;
      if (earlier !== undefined && earlier.end === undefined && hasBegun(earlier)) return "alive";
      const executionId = randomUUID().replaceAll("-", "");
      const kept = await values.keep(instanceId, input);
      await orders.send({ kind: "start", instanceId, name, input: kept, executionId, atMs: Math.floor(clock.now()) });
      return "started";
    },
    async raiseEvent({ instance }, name, input) {
      const { instanceId } = instance.start;
      await orders.send({ kind: "event", instanceId, name, input: await values.keep(instanceId, input) });
    },
    terminate: ({ instance }, output) =>
      orders.send({ kind: "terminate", instanceId: instance.start.instanceId, output }),
    suspend: ({ instance }, suspended, reason) =>
      orders.send({ kind: "suspend", instanceId: instance.start.instanceId, suspended, reason }),
    async purge({ instance }) {
      await orders.send({ kind: "purge", instanceId: instance.start.instanceId });
      return true;
    },
  };
};

const startOf = ({ name, instanceId, input, executionId, atMs }: Extract<Order, { kind: "start" }>): Start => ({
  type: "start",
  version: 1,
  atMs,
  createdAtMs: atMs,
  instanceId,
  name,
  executionId,
  generation: 0,
  input,
  inbox: [],
  suspended: false,
});

const idOf = ([first]: readonly Line[]): string => (first?.type === "start" ? first.instanceId : "");

/** As it is now: its end is not waited for. */
const loadedOf = (instance: Instance): LoadedInstance => ({
  instance,
  latestMs: instance.updatedAtMs,
  ended: new Promise(() => undefined),
  parentNotified: Promise.resolve(),
  replaced: false,
});
