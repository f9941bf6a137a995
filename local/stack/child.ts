import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type * as z from "zod";

/** Why the stack cannot start or go on: the one line to show. */
export class StackError extends Error {
  override readonly name = "StackError";
}

/** A process of the stack. It ends by itself when this process does. */
export interface Child<Ready> {
  readonly name: string;
  readonly pid: number;
  readonly ready: Ready;
  /** Resolves when the process has ended, asked or not, with its exit code; `null` for one that was killed. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop, and kills it when it does not within a minute. */
  stop(): Promise<void>;
  kill(): void;
}

export interface ChildOptions<Ready extends z.ZodType> {
  readonly name: string;
  /** Path of the program below the folder `local`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ready: Ready;
  /** Takes every line that the process prints. */
  readonly line: (line: string) => void;
}

const STOP_DEADLINE_MS = 60_000;

/**
 * Starts a program of this folder and waits until it says over IPC that it is ready.
 *
 * @throws {StackError} with the last line it printed when it ends before that.
 */
export const startChild = async <Ready extends z.ZodType>(
  options: ChildOptions<Ready>,
): Promise<Child<z.output<Ready>>> => {
  const { name, program, args, env, ready, line } = options;
  const child = fork(fileURLToPath(new URL(`../${program}`, import.meta.url)), [...args], {
    execArgv: [],
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A terminal sends Ctrl-C to the whole group; the stack stops its processes in order instead.
    detached: true,
  });
  let lastLine = "";
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (text) => {
      if (text.trim() !== "") lastLine = text.trim();
      line(text);
    });
  }

  const ended = once(child, "close").then(([code]) => code as number | null);
  const endedFirst = ended.then(() => undefined);
  const message = await Promise.race([once(child, "message").then(([said]) => said as unknown), endedFirst]);
  if (message === undefined) throw new StackError(lastLine || `${name} ended before it was ready`);
  return {
    name,
    pid: child.pid ?? 0,
    ready: ready.parse(message),
    ended,
    stop: () => stop(child, ended, line),
    kill: () => void child.kill("SIGKILL"),
  };
};

const stop = async (child: ChildProcess, ended: Promise<unknown>, line: (line: string) => void): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) {
    await ended;
    return;
  }
  child.kill("SIGTERM");
  const impatience = setTimeout(() => {
    line("It did not stop when asked: it is killed");
    child.kill("SIGKILL");
  }, STOP_DEADLINE_MS);
  await ended;
  clearTimeout(impatience);
};
