import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { vaultApi } from "../../local/stack/api.ts";
import { MAILBOX_REQUESTS, MAILBOX_SLOTS, MAILBOX_UPLOAD_BYTES } from "../../shared/contracts/limits.ts";
import { bodyBytes } from "../../shared/graph/import-item.ts";
import { aMailbox, type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters, sum } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { planError, type RestoreCase, restoreRate, restoreRefusals, restoreShare } from "../targets.ts";

const LATENCIES = [0.25, 1];

/** Restores that end within their first 150 MB of upload, where slots or requests bind. */
export const RESTORE_CASES: readonly RestoreCase[] = [10_000, 100_000, 1_000_000].flatMap((itemBytes) =>
  LATENCIES.map((latencySeconds) => ({ latencySeconds, itemBytes, isLong: false })),
);

/** Restores that go on after that, for minutes. Not with items of 10 KB: their bytes never bind. */
export const LONG_RESTORE_CASES: readonly RestoreCase[] = [100_000, 1_000_000].flatMap((itemBytes) =>
  LATENCIES.map((latencySeconds) => ({ latencySeconds, itemBytes, isLong: true })),
);

/** The approximate time for which importing is measured when the slots bind. */
const WATCHED_SECONDS = 60;

/** Between two reads of the number of imported items. */
const LOOK_MS = 100;

const REASON = "Benchmark";

/** The number of items, and the counts between which the rate is measured. */
export interface Course {
  readonly items: number;
  readonly from: number;
  readonly to: number;
}

const perSecond = ({ most, windowMs }: { readonly most: number; readonly windowMs: number }): number =>
  (most / windowMs) * 1000;

/** Items a second that slots and requests allow. */
const atFirst = (latencySeconds: number): number =>
  Math.min(MAILBOX_SLOTS / latencySeconds, perSecond(MAILBOX_REQUESTS));

/**
 * The limit that binds, in items a second. The limit of 150 MB in 5 minutes is on bodies, which are base64: for raw
 * items it is three quarters of that, 0.375 MB/s.
 */
export const boundOf = ({ latencySeconds, isLong }: RestoreCase, meanRawBytes: number): number => {
  const ofBytes = isLong ? (perSecond(MAILBOX_UPLOAD_BYTES) * 3) / 4 / meanRawBytes : Number.POSITIVE_INFINITY;
  return Math.min(atFirst(latencySeconds), ofBytes);
};

/**
 * A short restore is measured without its ends: planning and the rest of the last wave are not part of the rate. A long
 * one is measured from the middle of its first 150 MB to the middle of the next. That is one full period of the limit:
 * a burst when the window opens, and the wait until it opens again.
 */
export const courseOf = ({ latencySeconds, itemBytes, isLong }: RestoreCase): Course => {
  const each = bodyBytes({ folderId: "x".repeat(120), rawBytes: itemBytes });
  const window = Math.floor(MAILBOX_UPLOAD_BYTES.most / each);
  if (isLong) return { items: Math.ceil(window * 1.6), from: window * 0.5, to: window * 1.5 };
  const items = Math.min(Math.round(atFirst(latencySeconds) * WATCHED_SECONDS), Math.floor(window * 0.95));
  return { items, from: items * 0.05, to: items * 0.95 };
};

/** A stretch of a restore: the items in it, and their time. */
export interface Stretch {
  readonly items: number;
  readonly seconds: number;
}

/** The stretch between two counts, in a series of reads of a growing count. */
export const stretchOf = (looks: readonly { at: number; count: number }[], { from, to }: Course): Stretch => {
  const first = looks.find(({ count }) => count >= from);
  const last = looks.find(({ count }) => count >= to);
  if (first === undefined || last === undefined) throw new Error("The restore ended before its rate could be measured");
  return { items: last.count - first.count, seconds: (last.at - first.at) / 1000 };
};

const Plan = z.looseObject({ items: z.number(), bytes: z.number(), expectedSeconds: z.number() });

const makePlan = async ({ stack }: BenchStack, user: string) => {
  const api = vaultApi(stack.hostUrl);
  const order = { mailbox: user, select: { all: true }, reason: REASON, dryRun: true };
  const job = await api.start("/api/restores", order);
  const { result } = await api.finish(job);
  return { job, ...Plan.parse(result) };
};

const Imported = z.looseObject({ itemsImported: z.number() });

/** Executes a plan, and reads the number of imported items meanwhile. */
const execute = async ({ stack, graph }: BenchStack, plan: string) => {
  const api = vaultApi(stack.hostUrl);
  const looks: { at: number; count: number }[] = [];
  let ended = false;
  const look = async (): Promise<void> => {
    while (!ended) {
      const { itemsImported } = Imported.parse(await graph.counters());
      looks.push({ at: performance.now(), count: itemsImported });
      await delay(LOOK_MS);
    }
  };
  const started = performance.now();
  const looking = look();
  try {
    await api.finish(await api.start("/api/restores", { plan, reason: REASON }));
    return { looks, seconds: (performance.now() - started) / 1000 };
  } finally {
    ended = true;
    await looking;
  }
};

/**
 * A restore of one mailbox into a new folder by the API, with all limits on: its rate compared with the limit that
 * binds, and its duration compared with its plan.
 */
export const restoreRun = (which: RestoreCase): Measurement => {
  const [share, rate, refusals, error] = [
    restoreShare(which),
    restoreRate(which),
    restoreRefusals(which),
    planError(which),
  ];
  return {
    rows: [share, rate, refusals, error],
    measure: (bench) => {
      const { latencySeconds, itemBytes } = which;
      const course = courseOf(which);
      const mailbox = aMailbox("ada", course.items, itemBytes);
      return withStack(bench, { mailboxes: [mailbox] }, async (measured) => {
        await backUp(measured.stack, onlyMailbox(measured), course.items);
        await measured.graph.run("settings", { latencyMs: latencySeconds * 1000 });
        const plan = await makePlan(measured, mailbox.userPrincipalName);
        const planned = `planned for ${plan.expectedSeconds} s`;
        bench.say(
          `Restoring ${plan.items} items of ${itemBytes / 1000} KB at ${latencySeconds} s a request, ${planned}`,
        );
        await resetCounters(measured);
        const { looks, seconds } = await execute(measured, plan.job);
        const { throttled } = await graphCounters(measured);
        const stretch = stretchOf(looks, course);
        const itemsPerSecond = stretch.items / stretch.seconds;
        return new Map([
          [share, itemsPerSecond / boundOf(which, plan.bytes / plan.items)],
          [rate, itemsPerSecond],
          [refusals, sum(throttled)],
          [error, Math.abs(plan.expectedSeconds / seconds - 1) * 100],
        ]);
      });
    },
  };
};
