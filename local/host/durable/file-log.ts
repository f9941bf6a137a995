import { close, fdatasync, fsync, open, rename, write } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);
const flushData = promisify(fdatasync);
const flushAll = promisify(fsync);
const renameFile = promisify(rename);

/** A file of lines to which lines are appended, or which is replaced as a whole. Operations are executed in order. */
export interface FileLog {
  /**
   * Resolves once the line is on disk; `onDurable` runs before any later operation. Waiting lines are flushed together.
   */
  append(line: string, onDurable: () => void): Promise<void>;
  /**
   * Replaces the file by one with this line, atomically. `line` is called after all earlier operations took effect;
   * when it returns nothing, the file stays, and `onDurable` does not run.
   */
  replace(line: () => string | undefined, onDurable: () => void): Promise<void>;
  /** Closes the file handle; the next line opens the file again. */
  release(): Promise<void>;
}

interface Step {
  /** A line, appended with its neighbours, or work that runs alone and returns whether it had an effect. */
  readonly work: string | (() => Promise<boolean>);
  readonly onDurable: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export const fileLog = (path: string): FileLog => {
  const waiting: Step[] = [];
  let running = false;
  let handle: number | undefined;
  /** Set by the first failure. Lines after a half-written one would be lost with it, so nothing more is written. */
  let broken: { readonly by: unknown } | undefined;

  const appendAll = async (lines: readonly string[]): Promise<boolean> => {
    handle ??= await openFile(path, "a");
    await writeFully(handle, `${lines.join("\n")}\n`);
    await flushData(handle);
    return true;
  };

  const release = async (): Promise<boolean> => {
    if (handle !== undefined) await closeFile(handle);
    handle = undefined;
    return true;
  };

  const replaceBy = async (line: string | undefined): Promise<boolean> => {
    if (line === undefined) return false;
    await release();
    const next = `${path}.new`;
    const file = await openFile(next, "w");
    await writeFully(file, `${line}\n`);
    await flushAll(file);
    await closeFile(file);
    await renameFile(next, path);
    await flushDirectory(dirname(path));
    return true;
  };

  const nextSteps = (): Step[] => {
    const alone = waiting.findIndex(({ work }) => typeof work !== "string");
    return waiting.splice(0, alone < 0 ? waiting.length : Math.max(alone, 1));
  };

  const execute = async (steps: readonly Step[]): Promise<void> => {
    try {
      const tookEffect = await run(steps.map(({ work }) => work));
      for (const step of steps) {
        if (tookEffect) step.onDurable();
        step.done();
      }
    } catch (error) {
      broken = { by: error };
      for (const step of steps) step.failed(error);
    }
  };

  const run = async (works: readonly Step["work"][]): Promise<boolean> => {
    const [first] = works;
    return typeof first === "function" ? first() : appendAll(works.filter((work) => typeof work === "string"));
  };

  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0 && broken === undefined) await execute(nextSteps());
    for (const step of waiting.splice(0)) step.failed(broken?.by);
    running = false;
  };

  const enqueue = (work: Step["work"], onDurable: () => void): Promise<void> =>
    new Promise((done, failed) => {
      if (broken !== undefined) return failed(broken.by);
      waiting.push({ work, onDurable, done, failed });
      if (!running) void drain();
    });

  return {
    append: enqueue,
    replace: (line, onDurable) => enqueue(() => replaceBy(line()), onDurable),
    release: () => enqueue(release, () => undefined),
  };
};

/** Flushes a directory, so that files created, renamed or removed in it survive a crash. */
export const flushDirectory = async (path: string): Promise<void> => {
  const directory = await openFile(path, "r");
  await flushAll(directory);
  await closeFile(directory);
};

const writeFully = async (file: number, text: string): Promise<void> => {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    const { bytesWritten } = await writeFile(file, rest);
    rest = rest.subarray(bytesWritten);
  }
};
