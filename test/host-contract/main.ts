import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as z from "zod";
import { type AHost, aHost } from "./a-host.ts";
import { type Case, deathCases, orchestrationCases, triggerCases } from "./cases.ts";
import { buildContractApp } from "./contract-app.ts";

/**
 * `npm run test:host`: what Microsoft's host does, held against the local one, or against the one at `--url` that runs
 * the app of `npm run build:host-contract`. Exit code 1 when anything does not hold.
 */
const USAGE = "Usage: npm run test:host -- [--url URL [--key MASTER-KEY]] [--patience SECONDS]";

/** A real host needs half a minute to see what another process has sent, and some after a death. */
const PATIENCE_SECONDS = { local: 30, other: 120 } as const;

const Ready = z.object({ url: z.url(), masterKey: z.string() });

const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    key: { type: "string" },
    patience: { type: "string" },
    help: { type: "boolean" },
  },
});

const main = async (): Promise<boolean> => {
  if (options.help === true) {
    console.log(USAGE);
    return true;
  }
  const patienceMs = Number(options.patience ?? PATIENCE_SECONDS[options.url === undefined ? "local" : "other"]) * 1000;
  if (options.url !== undefined) return holdsAll(aHost(options.url, options.key, patienceMs));
  return withLocalHost((url, key) => holdsAll(aHost(url, key, patienceMs)));
};

const withLocalHost = async (use: (url: string, key: string) => Promise<boolean>): Promise<boolean> => {
  const folder = await mkdtemp(join(tmpdir(), "host-contract-"));
  let host: ChildProcess | undefined;
  try {
    const appDir = join(folder, "app");
    await buildContractApp(appDir);
    const program = fileURLToPath(new URL("../../local/host/main.ts", import.meta.url));
    const args = ["--port", "0", "--app", appDir, "--data", join(folder, "data"), "--profile", "azure"];
    host = fork(program, args, { silent: true, env: { ...process.env, TMPDIR: folder } });
    let output = "";
    for (const stream of [host.stdout, host.stderr]) {
      stream?.on("data", (chunk) => {
        output += String(chunk);
      });
    }
    const said = await Promise.race([once(host, "message"), once(host, "exit").then(() => undefined)]);
    if (said === undefined) throw new Error(`The host did not start:\n${output}`);
    const { url, masterKey } = Ready.parse(said[0]);
    return await use(url, masterKey);
  } finally {
    if (host?.exitCode === null) {
      host.kill("SIGTERM");
      await once(host, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  }
};

const holdsAll = async (host: AHost): Promise<boolean> => {
  const run = randomBytes(4).toString("hex");
  const cases = [...orchestrationCases, ...triggerCases, ...deathCases].filter(({ keys }) => host.hasKey || !keys);
  const held = await Promise.all(
    cases.map(async (each, index) => each.alone === true || holds(host, each, `contract-${run}-${index}`)),
  );
  for (const [index, each] of cases.entries())
    if (each.alone === true) held.push(await holds(host, each, `contract-${run}-${index}`));
  const broken = held.filter((isTrue) => !isTrue).length;
  console.log(broken === 0 ? `All ${cases.length} hold` : `${broken} of ${cases.length} do not hold`);
  return broken === 0;
};

const holds = async (host: AHost, { does, known, holds: check }: Case, id: string): Promise<boolean> => {
  try {
    await check(host, id);
    console.log(`  holds (${known}): ${does}`);
    return true;
  } catch (error) {
    console.log(`DIFFERS (${known}): ${does}\n  ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
};

process.exitCode = (await main()) ? 0 : 1;
