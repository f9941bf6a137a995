import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { exportBatch, importOneByOne, type Place } from "../../bench/graph-script.ts";
import { type GraphAdmin, graphAdmin, type Item } from "../../local/stack/admin.ts";
import { Job, vaultApi } from "../../local/stack/api.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { type Random, randomFrom } from "./random.ts";
import { type Tally, tally } from "./tally.ts";
import { type Trouble, troubleFor } from "./trouble.ts";

/** One restore of a mailbox of its own: what it is to bring back, and what is to go wrong meanwhile. */
export interface Run {
  readonly seed: number;
  readonly user: string;
  readonly mailboxId: string;
  readonly wanted: readonly Item[];
  /** Folders that were there before it. */
  readonly before: ReadonlySet<string>;
  readonly troubles: readonly Trouble[];
}

const Report = z.looseObject({
  items: z.array(z.looseObject({ id: z.string(), outcome: z.string(), code: z.string().optional() })),
});

const LOOK_MS = 250;

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
  await api.finish(await api.start("/api/backups", { mailboxes: runs.map(({ user }) => user) }));

  const ready: Run[] = [];
  for (const { seed, user, random } of runs) {
    const mailboxId = await mailboxOf(graph, user);
    const wanted = await graph.items(user);
    const before = new Set((await graph.folders(user)).map(({ id }) => id));
    ready.push({ seed, user, mailboxId, wanted, before, troubles: troubleFor(random, mailboxId) });
  }
  return ready;
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

/** Sets the run's trouble up, starts its restore, and gives the job. */
export const startRun = async ({ graphUrl, hostUrl }: Stack, { user, troubles }: Run): Promise<string> => {
  for (const rule of troubles.flatMap(({ rules }) => rules)) await graphAdmin(graphUrl).run("add-fault", rule);
  return vaultApi(hostUrl).start("/api/restores", {
    mailbox: user,
    select: { all: true },
    reason: "Restore under faults",
  });
};

/**
 * Waits for a run's end, which may be a failure, and compares what is there and the report says with what was wanted.
 */
export const finishRun = async (stack: Stack, { user, wanted, before }: Run, job: string): Promise<Tally> => {
  const { state, error } = await endOf(stack, job);
  if (state !== "completed") console.log(`${job} ended as ${state}: ${error ?? "no reason given"}`);
  const report = state === "completed" ? await answerOf(stack, `/api/restores/${job}/report`, Report) : { items: [] };
  const there = (await graphAdmin(stack.graphUrl).items(user)).filter(({ folderId }) => !before.has(folderId));
  return tally(
    wanted,
    there.map(({ sha256 }) => sha256),
    report.items,
  );
};

const endOf = async (stack: Stack, id: string): Promise<Job> => {
  for (;;) {
    const job = await answerOf(stack, `/api/jobs/${id}`, Job);
    if (["completed", "failed", "cancelled"].includes(job.state)) return job;
    await delay(LOOK_MS);
  }
};

/** Asks until there is an answer: the host may be away, and what it was serving when the app was killed has failed. */
const answerOf = async <S extends z.ZodType>({ hostUrl }: Stack, path: string, schema: S): Promise<z.output<S>> => {
  for (;;) {
    try {
      const answer = await fetch(new URL(path, hostUrl));
      if (answer.ok) return schema.parse(await answer.json());
      if (answer.status < 500) throw new Error(`${path} was answered ${answer.status}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await delay(LOOK_MS);
  }
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
