import type { Clock } from "../contract.ts";
import { apply, begin, type Instance, valuesOf } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import type { Line, Start, Value } from "./record.ts";
import type { Store } from "./store.ts";

/** An instance that the hub holds, alive or ended. */
export interface Resident {
  /** Replaced by the next generation when the orchestrator continues as new. */
  instance: Instance;
  /** The latest time anything happened to it: its history never goes back in time. */
  latestMs: number;
  /** Resolves once the instance has ended. */
  readonly ended: Promise<void>;
  /** Settles once the parent, if any, knows how it ended. */
  told: Promise<void>;
}

/** The instances in memory, each in step with its file: a change takes effect only once it is on disk. */
export interface Residents {
  /** Reads what an earlier host left. */
  load(): Promise<void>;
  get(instanceId: string): Resident | undefined;
  all(): Resident[];
  now(resident: Resident): number;
  /** Adds an instance, in place of an ended one with its id. */
  add(start: Start): Promise<Resident>;
  append(resident: Resident, line: Line): Promise<void>;
  /** Puts a new generation in place of the instance, unless it ended meanwhile. `next` is asked for at the last moment. */
  renew(resident: Resident, next: () => Start): Promise<void>;
  remove(resident: Resident): Promise<void>;
  /** The instance with its whole history, which memory holds for live ones only. */
  withHistory(resident: Resident): Promise<Instance>;
}

interface Deps {
  readonly store: Store;
  readonly values: LargeValues;
  readonly clock: Clock;
  readonly onEnd: (resident: Resident) => void;
}

interface Held extends Resident {
  readonly resolveEnded: () => void;
  /** Values that an ended instance keeps in files of their own. */
  kept: Value[];
}

export const createResidents = ({ store, values, clock, onEnd }: Deps): Residents => {
  const held = new Map<string, Held>();
  const find = (resident: Resident): Held => resident as Held;

  const settle = (resident: Held): void => {
    resident.kept = largeOnes(resident.instance);
    resident.instance.history = [];
    resident.instance.inbox = [];
    resident.resolveEnded();
  };

  const add = async (start: Start): Promise<Resident> => {
    const earlier = held.get(start.instanceId);
    const resident = hold(begin(start));
    await store.replace(
      start.instanceId,
      () => start,
      () => held.set(start.instanceId, resident),
    );
    await values.forget(earlier?.kept ?? []);
    return resident;
  };

  return {
    async load() {
      for await (const lines of store.readAll()) {
        const instance = fold(lines);
        const resident = hold(instance);
        held.set(instance.start.instanceId, resident);
        if (instance.end !== undefined) settle(resident);
      }
    },
    get: (instanceId) => held.get(instanceId),
    all: () => [...held.values()],
    now(resident) {
      resident.latestMs = Math.max(resident.latestMs, Math.floor(clock.now()));
      return resident.latestMs;
    },
    add,
    async append(resident, line) {
      await store.append(resident.instance.start.instanceId, line, () => {
        const { instance } = resident;
        if (instance.end !== undefined) return;
        apply(instance, line);
        if (instance.end === undefined) return;
        settle(find(resident));
        onEnd(resident);
      });
    },
    async renew(resident, next) {
      const old = resident.instance;
      let renewed: Instance | undefined;
      const line = () => {
        if (old.end !== undefined) return undefined;
        renewed = begin(next());
        return renewed.start;
      };
      await store.replace(old.start.instanceId, line, () => {
        if (renewed !== undefined) resident.instance = renewed;
      });
      if (renewed === undefined) return;
      const stillNamed = JSON.stringify(renewed.start);
      await values.forget(largeOnes(old).filter((value) => !stillNamed.includes(value.large)));
    },
    async remove(resident) {
      const { instanceId } = resident.instance.start;
      await store.remove(instanceId);
      held.delete(instanceId);
      await values.forgetAll(instanceId);
    },
    withHistory: async ({ instance }) =>
      instance.end === undefined ? instance : fold(await store.read(instance.start.instanceId)),
  };
};

const hold = (instance: Instance): Held => {
  let resolveEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve;
  });
  const latestMs = Math.max(instance.updatedAtMs, ...instance.inbox.map(({ atMs }) => atMs));
  return { instance, latestMs, ended, told: Promise.resolve(), resolveEnded, kept: [] };
};

const fold = ([first, ...rest]: readonly Line[]): Instance => {
  if (first?.type !== "start") throw new Error("an instance's file does not begin with its start");
  const instance = begin(first);
  for (const line of rest) apply(instance, line);
  return instance;
};

const largeOnes = (instance: Instance): Exclude<Value, string>[] =>
  valuesOf(instance).filter((value) => typeof value !== "string");
