import { setTimeout as delay } from "node:timers/promises";
import { aMailbox, type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { exportedAgain } from "../targets.ts";

const ITEMS = 12_000;
const ITEM_BYTES = 4_000;
const LATENCY_MS = 100;

/** Several waves, of which the last one dies before it has kept its record. */
const LANE_SECONDS = 10;

/** The waits between the tries of a wave pass this many times as fast. */
const CLOCK = 60;

const POLL_MS = 20;

const exported = async (measured: BenchStack): Promise<number> => (await graphCounters(measured)).itemsExported;

/** From now on, storage refuses packs and, so that a wave that is tried again fails at once, the records of waves. */
const refuseStorage = async ({ stack }: BenchStack): Promise<void> => {
  const body = JSON.stringify({ path: "/(packs|waves)/", answer: 403 });
  await fetch(new URL("/__admin/faults", stack.storageUrl), { method: "POST", body });
};

const allowStorage = async ({ stack }: BenchStack): Promise<void> => {
  await fetch(new URL("/__admin/faults", stack.storageUrl), { method: "DELETE" });
};

/** A run that dies when nine tenths of the mailbox are exported, and the run that follows. */
export const deadRun: Measurement = {
  rows: [exportedAgain],
  measure: (bench) => {
    const mailboxes = [aMailbox("ada", ITEMS, ITEM_BYTES)];
    const options = { mailboxes, latencyMs: LATENCY_MS, laneSeconds: LANE_SECONDS, clock: CLOCK };
    return withStack(bench, options, async (measured) => {
      const { stack } = measured;
      const mailbox = onlyMailbox(measured);
      bench.say(`Backing up ${ITEMS} items with a run that dies at 90 %, and again`);
      let end: "completed" | "died" | undefined;
      const ended = backUp(stack, mailbox, ITEMS).then(
        () => {
          end = "completed";
        },
        () => {
          end = "died";
        },
      );
      while (end === undefined && (await exported(measured)) < 0.9 * ITEMS) await delay(POLL_MS);
      await refuseStorage(measured);
      await ended;
      if (end !== "died") throw new Error("The run did not die");
      await allowStorage(measured);
      await backUp(stack, mailbox, ITEMS);
      return new Map([[exportedAgain, (await exported(measured)) / ITEMS - 1]]);
    });
  },
};
