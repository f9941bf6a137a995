import { close, fdatasync, fsync, open, rename, write } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);
const flushData = promisify(fdatasync);
const flushAll = promisify(fsync);
const renameFile = promisify(rename);

/** A file of lines that only grows, or is replaced as a whole. What is asked of it happens in that order. */
export interface FileLog {
  /** Resolves once the line is on disk; `durable` runs before anything later happens. Lines that wait together share one flush. */
  append(line: string, durable: () => void): Promise<void>;
  /**
   * Puts a file with this one line in place, at once or not at all. `line` is asked for after all that came before took
   * effect; with none the file stays, and `durable` does not run.
   */
  replace(line: () => string | undefined, durable: () => void): Promise<void>;
  /** Gives the file handle back; the next line opens the file again. */
  rest(): Promise<void>;
}

interface Step {
  /** A line, appended with its neighbours, or work that is carried out alone and tells whether it had an effect. */
  readonly what: string | (() => Promise<boolean>);
  readonly durable: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export const fileLog = (path: string): FileLog => {
  const waiting: Step[] = [];
  let running = false;
  let handle: number | undefined;
  /** Set by the first failure: what followed a half-written line would be lost with it, so nothing follows. */
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
    const alone = waiting.findIndex(({ what }) => typeof what !== "string");
    return waiting.splice(0, alone < 0 ? waiting.length : Math.max(alone, 1));
  };

  const carryOut = async (steps: readonly Step[]): Promise<void> => {
    try {
      const happened = await effectOf(steps.map(({ what }) => what));
      for (const step of steps) {
        if (happened) step.durable();
        step.done();
      }
    } catch (error) {
      broken = { by: error };
      for (const step of steps) step.failed(error);
    }
  };

  const effectOf = async (whats: readonly Step["what"][]): Promise<boolean> => {
    const [first] = whats;
    return typeof first === "function" ? first() : appendAll(whats.filter((what) => typeof what === "string"));
  };

  const run = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0 && broken === undefined) await carryOut(nextSteps());
    for (const step of waiting.splice(0)) step.failed(broken?.by);
    running = false;
  };

  const enqueue = (what: Step["what"], durable: () => void): Promise<void> =>
    new Promise((done, failed) => {
      if (broken !== undefined) return failed(broken.by);
      waiting.push({ what, durable, done, failed });
      if (!running) void run();
    });

  return {
    append: enqueue,
    replace: (line, durable) => enqueue(() => replaceBy(line()), durable),
    rest: () => enqueue(release, () => undefined),
  };
};

/** Makes what was created, renamed or removed in a directory outlive a crash. */
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
