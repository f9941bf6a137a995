import { setTimeout as delay } from "node:timers/promises";
import { type VaultApi, vaultApi } from "../../local/stack/api.ts";
import { aMailbox, type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { cancelSeconds } from "../targets.ts";

/** Far more than are imported before the order: the wave under way would go on for minutes. */
const ITEMS = 2_000;
const ITEM_BYTES = 10_000;
const LATENCY_MS = 250;

/** The order comes when so many are imported: all lanes are at work then. */
const IMPORTED_FIRST = 40;

/** An order meets a lane at any point of what it does, so the slowest of several counts. */
const CANCELS = 5;

const LOOK_MS = 20;

const importsSent = async (measured: BenchStack): Promise<number> =>
  (await graphCounters(measured)).requests["import-item"] ?? 0;

const stateOf = async (api: VaultApi, job: string): Promise<string | undefined> => (await api.job(job))?.state;

/** Seconds from the order to cancel a restore to the last import that it sent. */
const cancelOne = async (measured: BenchStack, api: VaultApi, user: string): Promise<number> => {
  const before = await importsSent(measured);
  const job = await api.start("/api/restores", { mailbox: user, select: { all: true }, reason: "Benchmark" });
  while ((await importsSent(measured)) < before + IMPORTED_FIRST) await delay(LOOK_MS);

  let sent = await importsSent(measured);
  const ordered = performance.now();
  let lastAt = ordered;
  const answer = await api.request(`/api/jobs/${job}/cancel`, { method: "POST" });
  if (!answer.ok) throw new Error(`The restore was not cancelled: ${await answer.text()}`);
  for (let looks = 0; ; looks += 1) {
    const now = await importsSent(measured);
    if (now > sent) lastAt = performance.now();
    sent = now;
    // The job is asked seldom, so that the looks at the count stay close together.
    const state = looks % 25 === 0 ? await stateOf(api, job) : undefined;
    if (state === "cancelled") break;
    if (state === "completed" || state === "failed") throw new Error(`The cancelled restore ended as ${state}`);
    await delay(LOOK_MS);
  }
  if (sent >= before + ITEMS) throw new Error("The restore had sent everything before it was cancelled");
  return (lastAt - ordered) / 1000;
};

/** Restores that are cancelled in the middle of a wave, one by one. The comparison at their end imports nothing. */
export const cancelledRestore: Measurement = {
  rows: [cancelSeconds],
  measure: (bench) => {
    const mailbox = aMailbox("ada", ITEMS, ITEM_BYTES);
    return withStack(bench, { mailboxes: [mailbox] }, async (measured) => {
      const { stack, graph } = measured;
      await backUp(stack, onlyMailbox(measured), ITEMS);
      await graph.run("settings", { latencyMs: LATENCY_MS });
      bench.say(`Cancelling ${CANCELS} restores, one after the other`);
      const api = vaultApi(stack.hostUrl);
      const seconds: number[] = [];
      while (seconds.length < CANCELS) seconds.push(await cancelOne(measured, api, mailbox.userPrincipalName));
      return new Map([[cancelSeconds, Math.max(...seconds)]]);
    });
  },
};
