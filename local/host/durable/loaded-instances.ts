import type { Clock } from "../contract.ts";
import { apply, begin, type Instance, valuesOf } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import type { Line, Start, Value } from "./record.ts";
import type { Store } from "./store.ts";

/** An instance in memory, alive or ended. */
export interface LoadedInstance {
  /** Replaced by the next generation when the orchestrator continues as new. */
  instance: Instance;
  /** The time of its latest event: its history never goes back in time. */
  latestMs: number;
  /** Resolves once the instance has ended. */
  readonly ended: Promise<void>;
  /** Settles once the parent, if any, was notified of the end. */
  parentNotified: Promise<void>;
  /** Whether another took its id while it was alive, or it was purged: then nothing of it counts any more. */
  replaced: boolean;
}

/** The instances in memory, each consistent with its file: a change takes effect only once it is on disk. */
export interface LoadedInstances {
  /** Reads the files of an earlier host. */
  load(): Promise<void>;
  get(instanceId: string): LoadedInstance | undefined;
  all(): LoadedInstance[];
  now(loaded: LoadedInstance): number;
  /** Adds an instance; it replaces the one with its id, which may be alive. */
  add(start: Start): Promise<LoadedInstance>;
  append(loaded: LoadedInstance, line: Line): Promise<void>;
  /**
   * Replaces the instance by a new generation, unless it ended or was replaced meanwhile. `next` is called at the last
   * moment.
   */
  renew(loaded: LoadedInstance, next: () => Start): Promise<void>;
  remove(loaded: LoadedInstance): Promise<void>;
  /** The instance with its full history, which is in memory for live ones only. */
  withHistory(loaded: LoadedInstance): Promise<Instance>;
}

interface Deps {
  readonly store: Store;
  readonly values: LargeValues;
  readonly clock: Clock;
  readonly onEnd: (loaded: LoadedInstance) => void;
}

interface Entry extends LoadedInstance {
  readonly resolveEnded: () => void;
  /** Values of an ended instance that are in files of their own. */
  kept: Value[];
}

export const createLoadedInstances = ({ store, values, clock, onEnd }: Deps): LoadedInstances => {
  const entries = new Map<string, Entry>();
  /** The instance whose file was written last, or will be: writes are in order. */
  const latest = new Map<string, Entry>();
  const find = (loaded: LoadedInstance): Entry => loaded as Entry;

  const settle = (loaded: Entry): void => {
    loaded.kept = largeOnes(loaded.instance);
    loaded.instance.history = [];
    loaded.instance.inbox = [];
    loaded.resolveEnded();
  };

  const add = async (start: Start): Promise<LoadedInstance> => {
    const earlier = latest.get(start.instanceId);
    if (earlier !== undefined) earlier.replaced = true;
    const loaded = entryOf(begin(start));
    latest.set(start.instanceId, loaded);
    await store.replace(
      start.instanceId,
      () => start,
      () => entries.set(start.instanceId, loaded),
    );
    if (earlier?.instance.end !== undefined) await values.forget(earlier.kept);
    return loaded;
  };

  return {
    async load() {
      for await (const lines of store.readAll()) {
        const instance = fold(lines);
        const loaded = entryOf(instance);
        entries.set(instance.start.instanceId, loaded);
        latest.set(instance.start.instanceId, loaded);
        if (instance.end !== undefined) settle(loaded);
      }
    },
    get: (instanceId) => entries.get(instanceId),
    all: () => [...entries.values()],
    now(loaded) {
      loaded.latestMs = Math.max(loaded.latestMs, Math.floor(clock.now()));
      return loaded.latestMs;
    },
    add,
    async append(loaded, line) {
      if (loaded.replaced) return;
      await store.append(loaded.instance.start.instanceId, line, () => {
        const { instance } = loaded;
        if (instance.end !== undefined) return;
        apply(instance, line);
        if (instance.end === undefined) return;
        settle(find(loaded));
        onEnd(loaded);
      });
    },
    async renew(loaded, next) {
      const old = loaded.instance;
      let renewed: Instance | undefined;
      const line = () => {
        if (old.end !== undefined || loaded.replaced) return undefined;
        renewed = begin(next());
        return renewed.start;
      };
      await store.replace(old.start.instanceId, line, () => {
        if (renewed !== undefined) loaded.instance = renewed;
      });
      if (renewed === undefined) return;
      const stillNamed = JSON.stringify(renewed.start);
      await values.forget(largeOnes(old).filter((value) => !stillNamed.includes(value.large)));
    },
    async remove(loaded) {
      const { instanceId } = loaded.instance.start;
      loaded.replaced = true;
      entries.delete(instanceId);
      latest.delete(instanceId);
      await store.remove(instanceId);
      await values.forgetAll(instanceId);
    },
    withHistory: async ({ instance }) =>
      instance.end === undefined ? instance : fold(await store.read(instance.start.instanceId)),
  };
};

const entryOf = (instance: Instance): Entry => {
  let resolveEnded: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve;
  });
  const latestMs = Math.max(instance.updatedAtMs, ...instance.inbox.map(({ atMs }) => atMs));
  return { instance, latestMs, ended, parentNotified: Promise.resolve(), replaced: false, resolveEnded, kept: [] };
};

/** The instance that the lines of a file tell of. */
export const fold = ([first, ...rest]: readonly Line[]): Instance => {
  if (first?.type !== "start") throw new Error("an instance's file does not begin with its start");
  const instance = begin(first);
  for (const line of rest) apply(instance, line);
  return instance;
};

const largeOnes = (instance: Instance): Exclude<Value, string>[] =>
  valuesOf(instance).filter((value) => typeof value !== "string");
