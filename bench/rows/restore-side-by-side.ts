import { vaultApi } from "../../local/stack/api.ts";
import { aMailbox, graphPlace, importPlace, onlyMailbox, withStack } from "../bench-stack.ts";
import { exportBatch, importOneByOne, itemBatches } from "../graph-script.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { restoreOursRate, restoreScriptRate } from "../targets.ts";

/** Few enough for the script to end in two minutes. That overstates the work of our restore beside importing. */
const ITEMS = 400;
const ITEM_BYTES = 10_000;
const LATENCY_MS = 250;

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
};

/**
 * A full restore, from its request to its report, compared with a script that has the same items in memory, creates no
 * folders and verifies nothing.
 */
export const restoreSideBySide: Measurement = {
  rows: [restoreOursRate, restoreScriptRate],
  measure: (bench) => {
    const spec = aMailbox("ada", ITEMS, ITEM_BYTES);
    return withStack(bench, { mailboxes: [spec] }, async (measured) => {
      const { stack, graph } = measured;
      const mailbox = onlyMailbox(measured);
      await backUp(stack, mailbox, ITEMS);
      const place = graphPlace(stack);
      const streams: Buffer[] = [];
      for await (const ids of itemBatches(place, mailbox.id))
        streams.push(...(await exportBatch(place, mailbox.id, ids)));
      const inbox = (await graph.folders(mailbox.userId)).find(({ wellKnownName }) => wellKnownName === "inbox");

      await graph.run("settings", { latencyMs: LATENCY_MS });
      bench.say(`Restoring ${ITEMS} items at ${LATENCY_MS / 1000} s a request in two ways`);
      const api = vaultApi(stack.hostUrl);
      const order = { mailbox: spec.userPrincipalName, select: { all: true }, reason: "Benchmark" };
      const ours = await secondsOf(async () => api.finish(await api.start("/api/restores", order)));
      const script = await secondsOf(() => importOneByOne(importPlace(stack), mailbox.id, inbox?.id ?? "", streams));
      return new Map([
        [restoreOursRate, ITEMS / ours],
        [restoreScriptRate, streams.length / script],
      ]);
    });
  },
};
