import { setTimeout as delay } from "node:timers/promises";
import { vaultApi } from "../../local/stack/api.ts";
import { aMailbox, type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { firstImportSeconds } from "../targets.ts";

/** What is restored: a person waits for it. Its folders are made one after the other, so there are few. */
const FEW = 100;
const USER_FOLDERS = 0;

/** What has come since, for a backup of more than a wave: four slots export 80 items a second. */
const MANY = 12_000;
const ITEM_BYTES = 1_000;
const LATENCY_MS = 1_000;

/** All slots are the backup's when so many are exported, and nearly all of its first wave is to come. */
const EXPORTED_FIRST = 200;

const LOOK_MS = 100;

/** Waits until a count of the emulator has reached a number. */
const reached = async (measured: BenchStack, count: "itemsExported" | "itemsImported", least: number) => {
  while ((await graphCounters(measured))[count] < least) await delay(LOOK_MS);
};

/** A small restore, asked for when a backup of its mailbox has all four slots, in the waves of a deployment. */
export const restoreBesideBackup: Measurement = {
  rows: [firstImportSeconds],
  measure: (bench) => {
    const spec = aMailbox("ada", FEW, ITEM_BYTES, USER_FOLDERS);
    return withStack(bench, { mailboxes: [spec] }, async (measured) => {
      const { stack, graph } = measured;
      const mailbox = onlyMailbox(measured);
      await backUp(stack, mailbox, FEW);
      const api = vaultApi(stack.hostUrl);
      const order = { mailbox: spec.userPrincipalName, select: { all: true }, reason: "Benchmark" };
      await graph.run("create-items", { mailbox: mailbox.id, folder: "inbox", count: MANY, bytes: ITEM_BYTES });
      await graph.run("settings", { latencyMs: LATENCY_MS });
      await resetCounters(measured);

      let isBackingUp = true;
      const ended = (): void => {
        isBackingUp = false;
      };
      void backUp(stack, mailbox, FEW + MANY).then(ended, ended);
      await reached(measured, "itemsExported", EXPORTED_FIRST);
      bench.say(`Restoring ${FEW} items while a backup has all slots of the mailbox`);
      const asked = performance.now();
      const job = await api.start("/api/restores", order);
      await reached(measured, "itemsImported", 1);
      const seconds = (performance.now() - asked) / 1000;
      if (!isBackingUp) throw new Error("The backup had ended before the restore began");
      await api.finish(job);
      return new Map([[firstImportSeconds, seconds]]);
    });
  },
};
