import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { type FileLog, fileLog, flushDirectory } from "./file-log.ts";
import { Line } from "./record.ts";

const SUFFIX = ".jsonl";
/** Most open files; the one that was written least recently is closed, and opened again when it is written. */
const MAX_OPEN_FILES = 256;
/** Longest name that a file system accepts with the suffixes; a longer id is replaced by its hash. */
const MAX_NAME_CHARS = 200;

/** The files of the instances. A write resolves once it is on disk; `onDurable` runs then, before any later write. */
export interface Store {
  /** The lines of every instance, without a torn last line, which is cut off. */
  readAll(): AsyncIterable<Line[]>;
  read(instanceId: string): Promise<Line[]>;
  append(instanceId: string, line: Line, onDurable: () => void): Promise<void>;
  /**
   * Replaces the file by one line, atomically. `line` is called after earlier writes; without a line nothing changes.
   */
  replace(instanceId: string, line: () => Line | undefined, onDurable: () => void): Promise<void>;
  remove(instanceId: string): Promise<void>;
  close(): Promise<void>;
}

export const fileStore = (directory: string): Store => {
  const logs = new Map<string, FileLog>();
  /** The files written last, the latest at the end. */
  const open = new Set<FileLog>();
  const pathOf = (instanceId: string) => join(directory, `${fileName(instanceId)}${SUFFIX}`);

  const logOf = (instanceId: string): FileLog => {
    const log = logs.get(instanceId) ?? fileLog(pathOf(instanceId));
    logs.set(instanceId, log);
    return log;
  };

  const write = async (log: FileLog, work: Promise<void>): Promise<void> => {
    open.delete(log);
    open.add(log);
    const [oldest] = open.size > MAX_OPEN_FILES ? open : [];
    if (oldest !== undefined) open.delete(oldest);
    await Promise.all([work, oldest?.release()]);
  };

  return {
    async *readAll() {
      await mkdir(directory, { recursive: true });
      for (const name of await readdir(directory)) {
        if (name.endsWith(SUFFIX)) yield await readLines(join(directory, name), true);
        else await rm(join(directory, name));
      }
    },
    read: (instanceId) => readLines(pathOf(instanceId), false),
    append(instanceId, line, onDurable) {
      const log = logOf(instanceId);
      return write(log, log.append(JSON.stringify(line), onDurable));
    },
    replace(instanceId, line, onDurable) {
      const log = logOf(instanceId);
      return write(
        log,
        log.replace(() => optionalText(line()), onDurable),
      );
    },
    async remove(instanceId) {
      const log = logOf(instanceId);
      await log.release();
      logs.delete(instanceId);
      open.delete(log);
      await rm(pathOf(instanceId));
      await flushDirectory(directory);
    },
    async close() {
      await Promise.all([...open].map((log) => log.release()));
      open.clear();
    },
  };
};

/** The lines of an instance that another process writes; `undefined` when there is none. */
export const readInstance = async (directory: string, instanceId: string): Promise<Line[] | undefined> =>
  readLinesIfThere(join(directory, `${fileName(instanceId)}${SUFFIX}`));

/** The lines of every instance of a folder that another process writes. */
export const readFolder = async (directory: string): Promise<Line[][]> => {
  await mkdir(directory, { recursive: true });
  const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX));
  const found = await Promise.all(names.map((name) => readLinesIfThere(join(directory, name))));
  return found.filter((lines) => lines !== undefined && lines.length > 0) as Line[][];
};

const readLinesIfThere = async (path: string): Promise<Line[] | undefined> => {
  try {
    return await readLines(path, false);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
};

/** The name of an instance's file or folder: its id where a file system accepts it, else a hash of it. */
export const fileName = (instanceId: string): string => {
  const name = encodeURIComponent(instanceId).replaceAll("*", "%2A").replace(/^\./, "%2E");
  return name.length <= MAX_NAME_CHARS ? name : createHash("sha256").update(instanceId).digest("hex");
};

const optionalText = (line: Line | undefined): string | undefined => line && JSON.stringify(line);

const readLines = async (path: string, cut: boolean): Promise<Line[]> => {
  const bytes = await readFile(path);
  const whole = bytes.lastIndexOf("\n") + 1;
  if (cut && whole < bytes.length) await truncate(path, whole);
  const texts = bytes.subarray(0, whole).toString().split("\n").slice(0, -1);
  return texts.map((text, index) => parseLine(text, `${path}:${index + 1}`));
};

const parseLine = (text: string, place: string): Line => {
  try {
    return Line.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${place} is not a line of the task hub. Restore the file, or delete it to forget the instance.`, {
      cause: error,
    });
  }
};
