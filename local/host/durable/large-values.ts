import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { flushDirectory } from "./file-log.ts";
import type { HistoryEvent } from "./history.ts";
import type { Task, Value } from "./record.ts";
import { fileName } from "./store.ts";

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/**
 * A value of this size has a file of its own. Source: the Azure Storage provider's limit of 45 KB for a queue message.
 */
const LARGE_BYTES = 45 * 1024;

/** The values that are too large for a history, in compressed files, in one folder an instance. */
export interface LargeValues {
  /** Writes a large text to a file of its own; it is on disk once this resolves. */
  keep(instanceId: string, value: Value): Promise<Value>;
  keepTasks(instanceId: string, tasks: readonly Task[]): Promise<Task[]>;
  read(value: Value): Promise<string>;
  /** The events with the text of every value. */
  readEvents(events: readonly HistoryEvent[]): Promise<HistoryEvent[]>;
  /** Deletes the files of values that are not referenced any more. */
  forget(values: readonly Value[]): Promise<void>;
  /** Deletes all files of an instance. */
  forgetAll(instanceId: string): Promise<void>;
}

export const largeValues = (directory: string): LargeValues => {
  const folderOf = (instanceId: string) => join(directory, fileName(instanceId));

  const keep = async (instanceId: string, value: Value): Promise<Value> => {
    if (typeof value !== "string" || Buffer.byteLength(value) < LARGE_BYTES) return value;
    const folder = folderOf(instanceId);
    await mkdir(folder, { recursive: true });
    const name = `${randomUUID()}.json.gz`;
    const file = await open(join(folder, name), "wx");
    try {
      await file.writeFile(await pack(value));
      await file.sync();
    } finally {
      await file.close();
    }
    await Promise.all([folder, directory].map(flushDirectory));
    return { large: `${fileName(instanceId)}/${name}` };
  };

  const read = async (value: Value): Promise<string> => {
    if (typeof value === "string") return value;
    return (await unpack(await readFile(join(directory, value.large)))).toString();
  };

  return {
    keep,
    keepTasks: (instanceId, tasks) =>
      Promise.all(
        tasks.map(async (task) =>
          task.kind === "timer" ? task : { ...task, input: await keep(instanceId, task.input) },
        ),
      ),
    read,
    readEvents: (events) =>
      Promise.all(
        events.map(async (event) => {
          if (typeof event.Input === "object") return { ...event, Input: await read(event.Input) };
          if (typeof event.Result === "object") return { ...event, Result: await read(event.Result) };
          return event;
        }),
      ),
    async forget(values) {
      await Promise.all(
        values.map((value) =>
          typeof value === "string" ? undefined : rm(join(directory, value.large), { force: true }),
        ),
      );
    },
    forgetAll: (instanceId) => rm(folderOf(instanceId), { recursive: true, force: true }),
  };
};
