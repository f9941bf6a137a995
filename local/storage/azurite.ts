import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";

export interface Azurite {
  readonly url: string;
  readonly port: number;
  /** Writes its state to disk and ends. Safe to call twice. */
  stop(): Promise<void>;
}

const Ready = z.object({ url: z.url() });

const STOP_TIMEOUT_MS = 60_000;

/**
 * Runs Azurite's blob service on 127.0.0.1 as a child process, with its state in `dir`; port 0 takes a free one.
 * The child saves its state and ends when this process ends, however it ends. Killing the child itself may cost the
 * metadata of its last 5 seconds (Azurite saves on a timer). `inMemory` keeps nothing, at half the processor time.
 */
export const startAzurite = async ({
  dir,
  port = 0,
  inMemory = false,
}: {
  dir: string;
  port?: number;
  inMemory?: boolean;
}): Promise<Azurite> => {
  await mkdir(dir, { recursive: true });
  const where = inMemory ? "in-memory" : "on-disk";
  const child = fork(fileURLToPath(new URL("azurite-process.mjs", import.meta.url)), [dir, String(port), where], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, AZURITE_ACCOUNTS: "" },
  });
  const { url } = Ready.parse(await firstMessage(child));
  return { url, port: Number(new URL(url).port), stop: () => stop(child) };
};

const firstMessage = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`Azurite ended before it was ready (${signal ?? `exit code ${code}`}); see its output above.`)),
    );
  });

const stop = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  if (child.connected) child.disconnect();
  const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(impatience);
};
