import * as z from "zod";
import { exportBatch, importOneByOne, type Place } from "../../bench/graph-script.ts";
import { type GraphAdmin, graphAdmin, type Item } from "../../local/stack/admin.ts";
import { vaultApi } from "../../local/stack/api.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { answerOf, ask, endOf } from "./insistent-caller.ts";
import { giveOrders, type Orders, ordersFor } from "./orders.ts";
import { type Random, randomFrom } from "./random.ts";
import { ReportedItem, type Tally, tally } from "./tally.ts";
import { type Trouble, troubleFor } from "./trouble.ts";

/** One restore of a mailbox of its own: what it is to bring back, and what is to go wrong meanwhile. */
export interface Run {
  readonly seed: number;
  readonly user: string;
  readonly mailboxId: string;
  readonly wanted: readonly Item[];
  /** Where it goes: into `original`, the items are away when it begins. */
  readonly target: "new-folder" | "original";
  /** Folders that were there before one into a new folder. */
  readonly before: ReadonlySet<string>;
  readonly troubles: readonly Trouble[];
  readonly orders: Orders;
}

/** What a run came to, after an undo also that. */
export interface Outcome extends Tally {
  /** How often a restore failed, and was resumed. */
  readonly resumed: number;
  readonly cancelled: boolean;
  readonly undone: boolean;
  /** Items that an undo left, and that its report does not name as kept. */
  readonly left: number;
}

const Report = z.looseObject({
  counts: z.looseObject({ stopped: z.looseObject({ reason: z.string() }).optional() }),
  folders: z.array(z.unknown()),
  items: z.array(ReportedItem),
});
const UndoReport = z.looseObject({ items: z.array(z.looseObject({ outcome: z.string() })) });
const Accepted = z.looseObject({ job: z.string() });

/** Somebody resumes a restore that failed so many times, and then gives up. */
const MAX_RESUMED = 3;

const BACKUP = 0;
const RESTORE = 1;
const placeOf = ({ graphUrl, secrets }: Stack, app: typeof BACKUP | typeof RESTORE): Place => ({
  graphUrl,
  token: secrets[app] ?? "",
});

/** A mailbox for each seed, backed up while nothing goes wrong; in some of them an item has copies beside it. */
export const prepareRuns = async (stack: Stack, seeds: readonly number[]): Promise<Run[]> => {
  const graph = graphAdmin(stack.graphUrl);
  const runs = seeds.map((seed) => ({ seed, user: `person-${seed}@contoso.example`, random: randomFrom(seed) }));
  for (const { user, random } of runs) {
    await graph.run("add-mailbox", {
      kind: "generated",
      userPrincipalName: user,
      items: random.number(10, 80),
      bytes: { fixed: random.number(300, 20_000) },
    });
    if (random.chance(0.3)) await copyOne(stack, user, random);
  }
  const api = vaultApi(stack.hostUrl);
  const { result } = await api.finish(await api.start("/api/backups", { mailboxes: runs.map(({ user }) => user) }));
  if (z.looseObject({ complete: z.int() }).parse(result).complete !== runs.length)
    throw new Error(`The backup before the restores is not whole: ${JSON.stringify(result)}`);

  return Promise.all(runs.map(({ seed, user, random }) => readyRun(graph, seed, user, random)));
};

const readyRun = async (graph: GraphAdmin, seed: number, user: string, random: Random): Promise<Run> => {
  const mailboxId = await mailboxOf(graph, user);
  const wanted = await graph.items(user);
  const before = new Set((await graph.folders(user)).map(({ id }) => id));
  const target = random.oneOf(["new-folder", "original"] as const);
  if (target === "original") for (const { id } of wanted) await graph.run("remove-item", { mailbox: user, item: id });
  const troubles = troubleFor(random, mailboxId);
  return { seed, user, mailboxId, wanted, target, before, troubles, orders: ordersFor(random) };
};

const mailboxOf = async (graph: GraphAdmin, user: string): Promise<string> => {
  const found = (await graph.users()).find(({ userPrincipalName }) => userPrincipalName === user);
  return z.string().parse(found?.mailboxId);
};

/** Copies share a search key, by which a restore has to tell what was taken of them. */
const copyOne = async (stack: Stack, user: string, random: Random): Promise<void> => {
  const graph = graphAdmin(stack.graphUrl);
  const mailboxId = await mailboxOf(graph, user);
  const [item] = await graph.items(user, "inbox");
  if (item === undefined) return;
  const [stream = Buffer.alloc(0)] = await exportBatch(placeOf(stack, BACKUP), mailboxId, [item.id]);
  const copies = Array.from({ length: random.number(1, 3) }, () => stream);
  await importOneByOne(placeOf(stack, RESTORE), mailboxId, item.folderId, copies);
};

/** Sets the run's trouble up, starts its restores, and gives their jobs: the first is the one that gets orders. */
export const startRun = async (stack: Stack, { seed, user, target, troubles, orders }: Run): Promise<string[]> => {
  for (const rule of troubles.flatMap(({ rules }) => rules)) await graphAdmin(stack.graphUrl).run("add-fault", rule);
  const body = { mailbox: user, select: { all: true }, target, reason: "Restore under faults" };
  const askFor = async (key: string) =>
    Accepted.parse(await (await ask(stack, "/api/restores", { body, key, expected: [202] })).json()).job;
  const jobs = new Set(await Promise.all(Array.from({ length: orders.asked }, () => askFor(`run-${seed}`))));
  if (jobs.size !== 1) throw new Error(`Seed ${seed}: one key has the jobs ${[...jobs].join(", ")}`);
  const isAskedAgain = target === "original" && orders.again;
  return isAskedAgain ? [...jobs, await askFor(`run-${seed}-again`)] : [...jobs];
};

/** Gives the orders, waits for the ends, and compares what is there and the reports say with what was wanted. */
export const finishRun = async (stack: Stack, run: Run, jobs: readonly string[]): Promise<Outcome> => {
  const { wanted, orders } = run;
  const [first = ""] = jobs;
  await giveOrders(stack, first, orders);
  const ends = await Promise.all(jobs.map((job) => endInTheEnd(stack, job)));
  const reports: ReportedItem[][] = [];
  for (const job of jobs) reports.push(itemsOf(await reportOf(stack, job, Report), wanted));
  // What one that was cancelled left out, the other was to bring back.
  const [last = [], ...others] = reports.toReversed();
  const reported = [...last, ...others.flat().filter(({ outcome }) => outcome !== "missing")];
  const found = tally(wanted, await restoredItems(stack, run), reported);

  const resumed = ends.reduce((sum, end) => sum + end.resumed, 0);
  const cancelled = ends.some(({ state }) => state === "cancelled");
  const undoJob = orders.undo && jobs.length === 1 ? await startUndo(stack, first) : undefined;
  const left = undoJob === undefined ? 0 : await leftByUndo(stack, run, undoJob);
  return { ...found, resumed, cancelled, undone: undoJob !== undefined, left };
};

/** A restore that was cancelled before it had a plan says so, and cannot name what it did not bring. */
const itemsOf = ({ counts, folders, items }: z.output<typeof Report>, wanted: readonly Item[]): ReportedItem[] =>
  counts.stopped?.reason === "cancelled" && folders.length === 0
    ? wanted.map(({ id }) => ({ id, outcome: "missing", code: "cancelled" }))
    : items;

/** Waits for a job's end, and resumes it when it failed, as its operator would. */
const endInTheEnd = async (stack: Stack, job: string): Promise<{ state: string; resumed: number }> => {
  for (let resumed = 0; ; resumed += 1) {
    const { state, error } = await endOf(stack, job);
    if (state !== "failed" || resumed === MAX_RESUMED) return { state, resumed };
    console.log(`${job} ended as ${state}: ${error ?? "no reason given"}`);
    await ask(stack, `/api/jobs/${job}/resume`, { expected: [202, 409, 410] });
  }
};

/** A report, which every restore has at its end but one that ended before it had a plan. */
const reportOf = async <S extends z.ZodType>(stack: Stack, job: string, schema: S): Promise<z.output<S>> =>
  answerOf(stack, `/api/restores/${job}/report`, schema);

/** The hashes of what lies where the run restored to. */
const restoredItems = async ({ graphUrl }: Stack, { user, target, before }: Run): Promise<string[]> => {
  const items = await graphAdmin(graphUrl).items(user);
  return items.filter(({ folderId }) => target === "original" || !before.has(folderId)).map(({ sha256 }) => sha256);
};

/** Starts an undo, and gives its job, if there is something to undo. */
const startUndo = async (stack: Stack, job: string): Promise<string | undefined> => {
  const asked = { body: { reason: "Undo under faults" }, key: `undo-${job}`, expected: [202, 410] };
  const answer = await ask(stack, `/api/restores/${job}/undo`, asked);
  return answer.status === 202 ? Accepted.parse(await answer.json()).job : undefined;
};

const leftByUndo = async (stack: Stack, run: Run, undoJob: string): Promise<number> => {
  const { state, error } = await endOf(stack, undoJob);
  if (state !== "completed") throw new Error(`${undoJob} ended as ${state}: ${error ?? "no reason given"}`);
  const { items } = await reportOf(stack, undoJob, UndoReport);
  const kept = items.filter(({ outcome }) => outcome !== "deleted" && outcome !== "already-gone").length;
  const there = (await restoredItems(stack, run)).length;
  if (there > 0) console.log(`${undoJob} left ${there} items, and says so of ${kept}`);
  return Math.max(0, there - kept);
};

const Faults = z.array(z.looseObject({ mailbox: z.string().optional(), struck: z.number() }));

/** How often each of the runs' troubles struck, by its name. */
export const struckBy = async ({ graphUrl }: Stack, runs: readonly Run[]): Promise<Map<string, number>> => {
  const answer = await fetch(new URL("/__admin/faults", graphUrl), { method: "POST", body: "{}" });
  const faults = Faults.parse(await answer.json());
  const counts = new Map<string, number>();
  for (const { mailboxId, troubles } of runs) {
    const mine = faults.filter(({ mailbox }) => mailbox === mailboxId);
    for (const { name, rules } of troubles) {
      const [first] = mine.splice(0, rules.length);
      counts.set(name, (counts.get(name) ?? 0) + (first?.struck ?? 0));
    }
  }
  return counts;
};

const Mailboxes = z.looseObject({ mailboxes: z.record(z.string(), z.looseObject({ highestAwaited: z.int() })) });

/**
 * The most requests that any of the runs' mailboxes was asked at once. Those of a process that was killed do not count,
 * however long the server goes on with them: nobody knows of them.
 */
export const mostInFlight = async ({ graphUrl }: Stack, runs: readonly Run[]): Promise<number> => {
  const { mailboxes } = Mailboxes.parse(await graphAdmin(graphUrl).counters());
  return Math.max(0, ...runs.map(({ mailboxId }) => mailboxes[mailboxId]?.highestAwaited ?? 0));
};
