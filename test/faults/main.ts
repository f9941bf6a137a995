import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { BlobServiceClient } from "@azure/storage-blob";
import * as z from "zod";
import { type GraphAdmin, graphAdmin } from "../../local/stack/admin.ts";
import { vaultApi } from "../../local/stack/api.ts";
import { StackError } from "../../local/stack/child.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { type Random, randomFrom } from "./random.ts";
import { type Tally, tally } from "./tally.ts";
import { troubleFor } from "./trouble.ts";

const USAGE = "Usage: npm run test:faults -- [--runs 20] [--seed 1]";

/** Restores of one round run at the same time, so that a kill meets them at different moments. */
const RUNS_AT_ONCE = 5;

/** A round that takes longer than this hangs. */
const ROUND_MS = 6 * 60_000;

const Result = z.looseObject({
  ambiguous: z.number(),
  failed: z.number(),
  missing: z.number(),
});
const Processes = z.object({ processes: z.array(z.object({ processId: z.int().positive() })) });
const Faults = z.array(z.looseObject({ struck: z.number() }));
const Counters = z.looseObject({ mailboxes: z.record(z.string(), z.looseObject({ inFlight: z.int() })) });

interface Run {
  readonly seed: number;
  readonly user: string;
  readonly random: Random;
}

const Hosted = z.looseObject({ mailboxId: z.string() });

/** A mailbox of its own for each run, backed up while nothing goes wrong. */
const prepare = async (graph: GraphAdmin, api: ReturnType<typeof vaultApi>, runs: readonly Run[]): Promise<void> => {
  for (const { user, random } of runs)
    await graph.run("add-mailbox", {
      kind: "generated",
      userPrincipalName: user,
      items: random.number(10, 80),
      bytes: { fixed: random.number(300, 20_000) },
    });
  await api.finish(await api.start("/api/backups", { mailboxes: runs.map(({ user }) => user) }));
};

const restoreOne = async (
  graph: GraphAdmin,
  api: ReturnType<typeof vaultApi>,
  { user, random }: Run,
): Promise<Tally> => {
  const wanted = (await graph.items(user)).map(({ sha256 }) => sha256);
  const before = new Set((await graph.folders(user)).map(({ id }) => id));
  const hosted = (await graph.users()).find(({ userPrincipalName }) => userPrincipalName === user);
  for (const rule of troubleFor(random, Hosted.parse(hosted).mailboxId)) await graph.run("add-fault", rule);
  const body = { mailbox: user, select: { all: true }, reason: "Restore under faults" };
  const { result } = await patient(api, await api.start("/api/restores", body));
  const { ambiguous, failed, missing } = Result.parse(result);
  const there = (await graph.items(user)).filter(({ folderId }) => !before.has(folderId)).map(({ sha256 }) => sha256);
  return tally(wanted, there, ambiguous + failed + missing);
};

/** The end of a job, though its host may be away in between. */
const patient = async (api: ReturnType<typeof vaultApi>, job: string) => {
  for (;;) {
    try {
      return await api.finish(job);
    } catch (error) {
      const away = error instanceof TypeError;
      if (!away) throw error;
      await delay(250);
    }
  }
};

const appPid = async (hostUrl: string): Promise<number | undefined> => {
  const answer = await fetch(new URL("/admin/host/processes", hostUrl));
  return Processes.parse(await answer.json()).processes[0]?.processId;
};

/** Kills the app or the whole host at some moment, and starts it again; gives how often. */
const kills = async (stack: Stack, graph: GraphAdmin, random: Random): Promise<number> => {
  if (!random.chance(0.6)) return 0;
  await delay(random.number(300, 4_000));
  if (random.chance(0.5)) {
    const pid = await appPid(stack.hostUrl);
    if (pid === undefined) return 0;
    process.kill(pid, "SIGKILL");
    await endLeases(stack, graph);
  } else {
    stack.host.kill();
    await stack.host.ended;
    await endLeases(stack, graph);
    await stack.restartHost();
  }
  return 1;
};

/** A dead process's leases end by themselves within a minute; what it had sent has taken effect before that. */
const endLeases = async ({ connectionString }: Stack, graph: GraphAdmin): Promise<void> => {
  const isQuiet = async () =>
    Object.values(Counters.parse(await graph.counters()).mailboxes).every(({ inFlight }) => inFlight === 0);
  for (let looks = 0; looks < 100 && !(await isQuiet()); looks += 1) await delay(50);
  const work = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("work");
  for await (const { name, properties } of work.listBlobsFlat())
    if (properties.leaseState === "leased") await work.getBlobClient(name).getBlobLeaseClient().breakLease(0);
};

const struck = async (graphUrl: string): Promise<number> => {
  const answer = await fetch(new URL("/__admin/faults", graphUrl), { method: "POST", body: "{}" });
  return Faults.parse(await answer.json()).reduce((sum, fault) => sum + fault.struck, 0);
};

interface Sum {
  runs: number;
  items: number;
  faults: number;
  kills: number;
  reported: number;
  lost: number;
  doubled: number;
}

const round = async (stack: Stack, seeds: readonly number[], sum: Sum): Promise<void> => {
  const graph = graphAdmin(stack.graphUrl);
  const api = vaultApi(stack.hostUrl);
  const runs = seeds.map((seed) => ({ seed, user: `person-${seed}@contoso.example`, random: randomFrom(seed) }));
  const random = randomFrom(seeds[0] ?? 0);
  await prepare(graph, api, runs);
  // A session that ends within seconds is renewed in the middle of things.
  const sessionLifetimeMs = random.chance(0.3) ? 303_000 : 3_600_000;
  await graph.run("settings", { behaviours: { sessionLifetimeMs } });

  const work = Promise.all([kills(stack, graph, random), ...runs.map((run) => restoreOne(graph, api, run))] as const);
  const [killed, ...tallies] = await Promise.race([work, tooLong()]);
  const faults = await struck(stack.graphUrl);
  await graph.run("clear-faults");
  for (const [index, each] of tallies.entries()) {
    sum.runs += 1;
    sum.items += each.wanted;
    sum.reported += each.reported;
    sum.lost += each.lost;
    sum.doubled += each.doubled;
    const bad = each.lost + each.doubled > 0 ? " BAD" : "";
    console.log(`seed ${runs[index]?.seed}: ${each.restored} of ${each.wanted} back, ${each.reported} reported${bad}`);
  }
  sum.faults += faults;
  sum.kills += killed;
};

const tooLong = async (): Promise<never> => {
  await delay(ROUND_MS, undefined, { ref: false });
  throw new Error("A round did not end in time");
};

const readOptions = (): { runs: number; seed: number } => {
  try {
    const { values } = parseArgs({ options: { runs: { type: "string" }, seed: { type: "string" } } });
    return z
      .object({ runs: z.coerce.number().int().min(1).default(20), seed: z.coerce.number().int().min(1).default(1) })
      .parse(values);
  } catch {
    throw new StackError(USAGE);
  }
};

/** Rounds take turns between a task hub that delivers every activity twice and one that does not. */
const main = async (): Promise<boolean> => {
  const { runs, seed } = readOptions();
  const sum: Sum = { runs: 0, items: 0, faults: 0, kills: 0, reported: 0, lost: 0, doubled: 0 };
  const seeds = Array.from({ length: runs }, (_, n) => seed + n);
  for (const deliverTwice of [false, true]) {
    const mine = seeds.filter((_, n) => Math.floor(n / RUNS_AT_ONCE) % 2 === Number(deliverTwice));
    if (mine.length === 0) continue;
    const dataDir = await mkdtemp(join(tmpdir(), "mailbox-vault-faults-"));
    const settings = { LANE_SECONDS: "8" };
    const stack = await startStack({ dataDir, deliverTwice, clock: 10, settings, graph: { mailboxes: [] } });
    try {
      for (let at = 0; at < mine.length; at += RUNS_AT_ONCE) await round(stack, mine.slice(at, at + RUNS_AT_ONCE), sum);
    } finally {
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  }
  const { items, faults, kills, reported, lost, doubled } = sum;
  console.log(
    `\n${sum.runs} runs, ${items} items, ${faults} faults, ${kills} kills: ${reported} reported, ${lost} lost, ${doubled} doubled`,
  );
  return lost + doubled === 0;
};

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  process.exitCode = error instanceof StackError ? 2 : 1;
}
