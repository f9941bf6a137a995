import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { realClock } from "../../../local/host/clock.ts";
import type { Clock } from "../../../local/host/contract.ts";
import { type Host, type HostOptions, startHost } from "../../../local/host/host.ts";
import type { LogEntry } from "../../../local/host/log.ts";
import { eventually } from "../../support/eventually.ts";

const folders: string[] = [];

/** A folder that {@link removeFolders} removes. */
export const aFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "host-test-"));
  folders.push(folder);
  return folder;
};

export const removeFolders = async (): Promise<void> => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
};

/** Builds an app as it is built for deployment, and returns its folder. */
export const anApp = async (source: string, hostJson: object = {}): Promise<string> => {
  const folder = await aFolder();
  await build({
    stdin: { contents: source, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["@azure/functions-core"],
    banner: {
      js: 'import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);',
    },
    outfile: join(folder, "dist", "main.mjs"),
    logLevel: "silent",
  });
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", main: "dist/main.mjs" }));
  await writeFile(join(folder, "host.json"), JSON.stringify({ version: "2.0", ...hostJson }));
  return folder;
};

export interface RunningHost extends Host {
  readonly log: LogEntry[];
  call(path: string, init?: RequestInit): Promise<Response>;
}

/** Starts a host in this process; `settings` are added to those of this environment. */
export const aHost = async (appDir: string, overrides: Partial<HostOptions> = {}): Promise<RunningHost> => {
  const log: LogEntry[] = [];
  const { PATH = "" } = process.env;
  const host = await startHost({
    appDir,
    port: 0,
    dataDir: await aFolder(),
    clock: realClock,
    workers: 1,
    durable: () => undefined,
    log: (entry) => log.push(entry),
    ...overrides,
    settings: { PATH, ...overrides.settings },
  });
  const call = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (/^\/(?:admin|runtime)\//.test(path)) headers.set("x-functions-key", host.masterKey);
    return fetch(`${host.url}${path}`, { ...init, headers });
  };
  return { ...host, log, call };
};

/** A clock that moves only when a test moves it. */
export const aClock = (start: string): Clock & { advanceTo(time: string): void } => {
  let nowMs = Date.parse(start);
  const set = new Set<{ timeMs: number; action: () => void }>();
  return {
    now: () => nowMs,
    at(timeMs, action) {
      const alarm = { timeMs, action };
      set.add(alarm);
      return () => set.delete(alarm);
    },
    advanceTo(time) {
      nowMs = Date.parse(time);
      for (const alarm of [...set].filter(({ timeMs }) => timeMs <= nowMs)) {
        set.delete(alarm);
        alarm.action();
      }
    },
  };
};

/** Waits until a condition holds. */
export const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  await eventually("what was waited for", async () => (await condition()) || undefined);
};
