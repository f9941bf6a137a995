import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { vaultApi } from "../../local/stack/api.ts";
import { bodyBytes } from "../../shared/graph/import-item.ts";
import { MAILBOX_REQUESTS, MAILBOX_SLOTS, MAILBOX_UPLOAD_BYTES } from "../../shared/graph/limits.ts";
import { aMailbox, type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters, sum } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { restoreRate, restoreRefusals, restoreShare } from "../targets.ts";

/** About how long importing is watched. */
const WATCHED_SECONDS = 60;

/** Between two looks at how many items are there. */
const LOOK_MS = 100;

/** What of the items is left out at both ends: planning and the last wave's rest are not the rate. */
const EDGE = 0.05;

const Imported = z.looseObject({ itemsImported: z.number() });

/** A stretch of a restore: when its first and last item were there, in seconds. */
export interface Stretch {
  readonly items: number;
  readonly seconds: number;
}

/** The middle of a series of looks at a count that grows to `all`. */
export const middleOf = (looks: readonly { at: number; count: number }[], all: number): Stretch => {
  const first = looks.find(({ count }) => count >= all * EDGE);
  const last = looks.find(({ count }) => count >= all * (1 - EDGE));
  if (first === undefined || last === undefined) throw new Error("The restore ended before it was seen to work");
  return { items: last.count - first.count, seconds: (last.at - first.at) / 1000 };
};

/** What binds a restore as long as its first 150 MB are not spent: slots, or requests. */
const boundOf = (latencySeconds: number): number =>
  Math.min(MAILBOX_SLOTS / latencySeconds, (MAILBOX_REQUESTS.most / MAILBOX_REQUESTS.windowMs) * 1000);

const watch = async (measured: BenchStack, user: string, items: number): Promise<Stretch> => {
  const api = vaultApi(measured.stack.hostUrl);
  const looks: { at: number; count: number }[] = [];
  let ended = false;
  const look = async (): Promise<void> => {
    while (!ended) {
      const { itemsImported } = Imported.parse(await measured.graph.counters());
      looks.push({ at: performance.now(), count: itemsImported });
      await delay(LOOK_MS);
    }
  };
  const looking = look();
  try {
    const body = { mailbox: user, select: { all: true }, reason: "Benchmark" };
    await api.finish(await api.start("/api/restores", body));
  } finally {
    ended = true;
    await looking;
  }
  return middleOf(looks, items);
};

/** A restore of one mailbox into a new folder, with every limit on, against what binds it. */
export const restoreRun = (latencySeconds: number, itemBytes: number): Measurement => {
  const rows = [restoreShare, restoreRate, restoreRefusals].map((row) => row(latencySeconds, itemBytes)) as [
    ReturnType<typeof restoreShare>,
    ReturnType<typeof restoreRate>,
    ReturnType<typeof restoreRefusals>,
  ];
  const [share, rate, refusals] = rows;
  return {
    rows,
    measure: (bench) => {
      const bound = boundOf(latencySeconds);
      const each = bodyBytes({ folderId: "x".repeat(120), rawBytes: itemBytes });
      const items = Math.min(
        Math.round(bound * WATCHED_SECONDS),
        Math.floor((MAILBOX_UPLOAD_BYTES.most / each) * 0.95),
      );
      const mailbox = aMailbox("ada", items, itemBytes);
      return withStack(bench, { mailboxes: [mailbox] }, async (measured) => {
        bench.say(`Restoring ${items} items of ${itemBytes / 1000} KB at ${latencySeconds} s a request`);
        await backUp(measured.stack.hostUrl, onlyMailbox(measured), items);
        await resetCounters(measured);
        await measured.graph.run("settings", { latencyMs: latencySeconds * 1000 });
        const { items: done, seconds } = await watch(measured, mailbox.userPrincipalName, items);
        const { throttled } = await graphCounters(measured);
        return new Map([
          [share, done / seconds / bound],
          [rate, done / seconds],
          [refusals, sum(throttled)],
        ]);
      });
    },
  };
};
