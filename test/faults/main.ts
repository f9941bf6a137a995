import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { PROFILES } from "../../local/host/profile.ts";
import { graphAdmin } from "../../local/stack/admin.ts";
import { StackError } from "../../local/stack/child.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { killSome } from "./kills.ts";
import { randomFrom } from "./random.ts";
import { finishRun, mostInFlight, type Outcome, prepareRuns, type Run, startRun, struckBy } from "./restore.ts";
import { troubleStorage } from "./storage-trouble.ts";
import { KINDS } from "./trouble.ts";

const USAGE = "Usage: npm run test:faults -- [--runs 20] [--seed 1] [--profile quick|azure]";

/** Restores of one round run at the same time, so that a kill meets them at different moments. */
const RUNS_AT_ONCE = 10;

/** A round that takes longer than this hangs. */
const ROUND_MS = 6 * 60_000;

/** How wrong the clock of the app's machine is, in either direction. Exchange and storage have the right time. */
const SKEW_MS = 10 * 60_000;
const SKEWED_CLOCK = new URL("skewed-clock.mjs", import.meta.url).href;

/** A session is not used in its last five minutes, so that one of this length ends within seconds. */
const SHORT_SESSION_MS = 303_000;
const LONG_SESSION_MS = 3_600_000;

/** How many times shorter than in Azure the app's waits for lost answers are, and this suite's outages. */
const WAIT_DIVISOR = 60;

/** What one request may wait for an answer follows from the length of a wave: some are given up, others outwaited. */
const WAVE_SECONDS = { short: 8, long: 90 } as const;

const nothingYet = () => ({
  ...{ runs: 0, items: 0, reported: 0, lost: 0, doubled: 0, unnamed: 0, left: 0, inFlight: 0 },
  ...{ repeated: 0, again: 0, paused: 0, cancelled: 0, resumed: 0, undone: 0 },
  ...{ killsOfApp: 0, killsOfHost: 0, outages: 0, leasesLost: 0, twice: 0, shortSessions: 0 },
  faults: new Map(KINDS.map(([name]) => [name, 0])),
});
type Sum = ReturnType<typeof nothingYet>;

const round = async (stack: Stack, seeds: readonly number[], sum: Sum): Promise<void> => {
  const graph = graphAdmin(stack.graphUrl);
  const random = randomFrom(seeds[0] ?? 0);
  const runs = await prepareRuns(stack, seeds);
  const isShort = random.chance(0.3);
  const sessionLifetimeMs = isShort ? SHORT_SESSION_MS : LONG_SESSION_MS;
  // Requests take their time, so that a kill meets some under way.
  await graph.run("settings", { latencyMs: random.number(0, 60), behaviours: { sessionLifetimeMs } });
  await graph.run("reset-counters");

  const began = performance.now();
  let left = runs.length;
  const isOver = () => left === 0;
  const finishing = runs.map(async (run) => {
    const outcome = await finishRun(stack, run, await startRun(stack, run));
    left -= 1;
    console.log(`${lineOf(run, outcome)}, ${Math.round((performance.now() - began) / 1_000)} s`);
    return outcome;
  });
  const items = runs.reduce((all, { wanted }) => all + wanted.length, 0);
  const killing = killSome(stack, random, { items, isOver });
  const troubling = troubleStorage(stack, randomFrom((seeds[0] ?? 0) + 1_000_000), {
    waitDivisor: WAIT_DIVISOR,
    isOver,
  });
  const [killed, troubled, ...outcomes] = await Promise.race([
    Promise.all([killing, troubling, ...finishing] as const),
    tooLong(),
  ]);

  for (const [name, count] of await struckBy(stack, runs)) sum.faults.set(name, (sum.faults.get(name) ?? 0) + count);
  sum.inFlight = Math.max(sum.inFlight, await mostInFlight(stack, runs));
  await graph.run("clear-faults");
  await graph.run("settings", { latencyMs: 0 });
  addOutcomes(sum, outcomes);
  for (const { target, orders } of runs) {
    sum.repeated += Number(orders.asked > 1);
    sum.again += Number(orders.again && target === "original");
    sum.paused += Number(orders.pause !== undefined);
  }
  sum.killsOfApp += killed.app;
  sum.killsOfHost += killed.host;
  sum.outages += troubled.outages;
  sum.leasesLost += troubled.leasesLost;
  if (isShort) sum.shortSessions += runs.length;
};

const addOutcomes = (sum: Sum, outcomes: readonly Outcome[]): void => {
  for (const outcome of outcomes) {
    sum.runs += 1;
    sum.items += outcome.wanted;
    for (const key of ["reported", "lost", "doubled", "unnamed", "left", "resumed"] as const) sum[key] += outcome[key];
    sum.cancelled += Number(outcome.cancelled);
    sum.undone += Number(outcome.undone);
  }
};

const lineOf = ({ seed, target }: Run, outcome: Outcome): string => {
  const { restored, wanted, reported, lost, doubled, unnamed, left } = outcome;
  const bad =
    lost + doubled + left > 0
      ? `: ${lost} LOST, ${doubled} DOUBLED (${unnamed} UNNAMED), ${left} LEFT BY ITS UNDO`
      : "";
  const ended = [outcome.cancelled ? "cancelled" : "", outcome.undone ? "undone" : ""].filter(Boolean).join(", ");
  return `seed ${seed}, ${target}${ended && `, ${ended}`}: ${restored} of ${wanted} back, ${reported} reported${bad}`;
};

const tooLong = async (): Promise<never> => {
  await delay(ROUND_MS, undefined, { ref: false });
  throw new Error("A round did not end in time");
};

const Options = z.object({
  runs: z.coerce.number().int().min(1).default(20),
  seed: z.coerce.number().int().min(1).default(1),
  /** Of the Functions host. */
  profile: z.enum(PROFILES).default("quick"),
});

const readOptions = (): z.output<typeof Options> => {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({ options: { runs: text, seed: text, profile: text } });
    return Options.parse(values);
  } catch {
    throw new StackError(USAGE);
  }
};

/** Rounds take turns between a task hub that delivers every activity twice and one that does not. */
const main = async (): Promise<boolean> => {
  const { runs, seed, profile } = readOptions();
  const sum = nothingYet();
  const seeds = Array.from({ length: runs }, (_, n) => seed + n);
  for (const deliverTwice of [false, true]) {
    const mine = seeds.filter((_, n) => Math.floor(n / RUNS_AT_ONCE) % 2 === Number(deliverTwice));
    if (mine.length === 0) continue;
    if (deliverTwice) sum.twice = mine.length;
    const dataDir = await mkdtemp(join(tmpdir(), "mailbox-vault-faults-"));
    const settings = {
      LANE_SECONDS: String(deliverTwice ? WAVE_SECONDS.long : WAVE_SECONDS.short),
      LOCAL_WAIT_DIVISOR: String(WAIT_DIVISOR),
      RESTORE_UNDO_ITEMS: "true",
      SKEW_MS: String(deliverTwice ? SKEW_MS : -SKEW_MS),
    };
    const nodeFlags = [`--import=${SKEWED_CLOCK}`];
    const graph = { mailboxes: [] };
    const stack = await startStack({ dataDir, deliverTwice, profile, clock: 10, settings, nodeFlags, graph });
    try {
      for (let at = 0; at < mine.length; at += RUNS_AT_ONCE) await round(stack, mine.slice(at, at + RUNS_AT_ONCE), sum);
    } finally {
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  }
  for (const line of summary(sum)) console.log(line);
  return sum.lost + sum.doubled + sum.unnamed + sum.left === 0 && sum.inFlight <= MAILBOX_SLOTS;
};

const summary = (sum: Sum): string[] => {
  const faults = [...sum.faults].toSorted(([, a], [, b]) => b - a);
  const struck = faults.reduce((all, [, count]) => all + count, 0);
  const kills = sum.killsOfApp + sum.killsOfHost;
  const width = Math.max(...faults.map(([name]) => name.length));
  return [
    "",
    ...faults.map(([name, count]) => `${name.padEnd(width)} ${count}`),
    "",
    `${sum.twice} of the runs were delivered twice, ${sum.shortSessions} had sessions of seconds`,
    `${sum.repeated} were asked for several times at once, ${sum.again} once more by somebody else`,
    `${sum.paused} were told to pause, ${sum.cancelled} were cancelled, ${sum.undone} undone, ` +
      `${sum.resumed} resumed after a failure`,
    `${sum.killsOfApp} kills of the app, ${sum.killsOfHost} of the host, ` +
      `${sum.outages} times without storage, ${sum.leasesLost} leases lost`,
    `${sum.runs} runs, ${sum.items} items, ${struck} faults, ${kills} kills: ` +
      `${sum.reported} reported, ${sum.lost} lost, ${sum.doubled} doubled, ${sum.unnamed} of them not named, ` +
      `${sum.left} left by an undo, at most ${sum.inFlight} requests of a mailbox at once`,
  ];
};

// Callers of a round that failed would ask for ever.
try {
  process.exit((await main()) ? 0 : 1);
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  process.exit(error instanceof StackError ? 2 : 1);
}
