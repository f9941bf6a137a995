import { setTimeout as delay } from "node:timers/promises";
import { RestoreOutcomes } from "../../functions/restore/restore-list.contract.ts";
import { vaultApi } from "../../local/stack/api.ts";
import { aMailbox, type BenchStack, withStack } from "../bench-stack.ts";
import { graphCounters } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { outageFailures, outageSurplus } from "../targets.ts";

const NAMES = ["ada", "bo", "cara", "dee", "eli", "fay", "gus", "hal"];
const ITEMS_EACH = 100;
const ITEM_BYTES = 4_000;
const LATENCY_MS = 250;

/** So many times as fast pass the waits of orchestrations and of the app, and with them the outage. */
const CLOCK = 30;
const OUTAGE_MS = (30 * 60_000) / CLOCK;

const ITEMS = NAMES.length * ITEMS_EACH;

/** All restores are importing then. */
const IMPORTED_FIRST = ITEMS / 8;

const LOOK_MS = 50;

const imported = async (measured: BenchStack): Promise<number> => (await graphCounters(measured)).itemsImported;

/** Eight restores of one list, all at work at the same time, when Exchange answers nothing but 503 for half an hour. */
export const restoresInOutage: Measurement = {
  rows: [outageFailures, outageSurplus],
  measure: (bench) => {
    const mailboxes = NAMES.map((name) => aMailbox(name, ITEMS_EACH, ITEM_BYTES));
    return withStack(bench, { mailboxes, clock: CLOCK, waitDivisor: CLOCK }, async (measured) => {
      const { stack, graph } = measured;
      await Promise.all(measured.mailboxes.map((mailbox) => backUp(stack, mailbox, ITEMS_EACH)));
      await graph.run("settings", { latencyMs: LATENCY_MS });
      bench.say(`Restoring ${NAMES.length} mailboxes through an outage of 30 minutes, ${CLOCK} times as fast`);
      const api = vaultApi(stack.hostUrl);
      const restores = mailboxes.map(({ userPrincipalName: mailbox }) => ({ mailbox, select: { all: true } }));
      const job = await api.start("/api/restores", { restores, reason: "Benchmark" });
      while ((await imported(measured)) < IMPORTED_FIRST) await delay(LOOK_MS);

      await graph.addFault({ kind: "status", endpoint: "*", status: 503 });
      await delay(OUTAGE_MS);
      const meanwhile = await imported(measured);
      if (meanwhile === ITEMS) throw new Error("The restores had ended before the outage");
      await graph.run("clear-faults");
      const { items } = RestoreOutcomes.parse((await api.finish(job)).result);
      return new Map([
        [outageFailures, ITEMS - items.imported],
        [outageSurplus, (await imported(measured)) - items.imported],
      ]);
    });
  },
};
