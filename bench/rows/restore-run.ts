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

/** Restores that go on after that, for minutes. Items of 10 KB are not among them: their bytes never bind. */
export const LONG_RESTORE_CASES: readonly RestoreCase[] = [100_000, 1_000_000].flatMap((itemBytes) =>
  LATENCIES.map((latencySeconds) => ({ latencySeconds, itemBytes, isLong: true })),
);

/** About how long importing is watched where the slots bind. */
const WATCHED_SECONDS = 60;

/** Between two looks at how many items are there. */
const LOOK_MS = 100;

const REASON = "Benchmark";

/** How many items there are, and between which counts of them the rate is taken. */
export interface Course {
  readonly items: number;
  readonly from: number;
  readonly to: number;
}

const perSecond = ({ most, windowMs }: { readonly most: number; readonly windowMs: number }): number =>
  (most / windowMs) * 1000;

/** Items a second that slots and requests let through. */
const atFirst = (latencySeconds: number): number =>
  Math.min(MAILBOX_SLOTS / latencySeconds, perSecond(MAILBOX_REQUESTS));

/**
 * What binds, in items a second. The limit of 150 MB in 5 minutes is of bodies, and a body is base64: of items as they
 * are stored it lets through three quarters, 0.375 MB/s.
 */
export const boundOf = ({ latencySeconds, isLong }: RestoreCase, meanRawBytes: number): number => {
  const ofBytes = isLong ? (perSecond(MAILBOX_UPLOAD_BYTES) * 3) / 4 / meanRawBytes : Number.POSITIVE_INFINITY;
  return Math.min(atFirst(latencySeconds), ofBytes);
};

/**
 * A short one is watched but for its ends: planning and the last wave's rest are not the rate. A long one is watched from
 * the middle of its first 150 MB to the middle of the next, so for one whole turn of the limit: what is sent at once when
 * the window opens, and the wait until it opens again.
 */
export const courseOf = ({ latencySeconds, itemBytes, isLong }: RestoreCase): Course => {
  const each = bodyBytes({ folderId: "x".repeat(120), rawBytes: itemBytes });
  const window = Math.floor(MAILBOX_UPLOAD_BYTES.most / each);
  if (isLong) return { items: Math.ceil(window * 1.6), from: window * 0.5, to: window * 1.5 };
  const items = Math.min(Math.round(atFirst(latencySeconds) * WATCHED_SECONDS), Math.floor(window * 0.95));
  return { items, from: items * 0.05, to: items * 0.95 };
};

/** A stretch of a restore: how many items, and in how long. */
export interface Stretch {
  readonly items: number;
  readonly seconds: number;
}

/** What was seen between two counts, in a series of looks at one that grows. */
export const stretchOf = (looks: readonly { at: number; count: number }[], { from, to }: Course): Stretch => {
  const first = looks.find(({ count }) => count >= from);
  const last = looks.find(({ count }) => count >= to);
  if (first === undefined || last === undefined) throw new Error("The restore ended before it was seen to work");
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

/** Carries out a plan, and watches how many items are there. */
const carryOut = async ({ stack, graph }: BenchStack, plan: string) => {
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
 * A restore of one mailbox into a new folder as an operator makes it, with every limit on: the rate against what binds it,
 * and the whole of it against what its plan said.
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
        await backUp(measured.stack.hostUrl, onlyMailbox(measured), course.items);
        await measured.graph.run("settings", { latencyMs: latencySeconds * 1000 });
        const plan = await makePlan(measured, mailbox.userPrincipalName);
        bench.say(
          `Restoring ${plan.items} items of ${itemBytes / 1000} KB at ${latencySeconds} s a request, planned for ${plan.expectedSeconds} s`,
        );
        await resetCounters(measured);
        const { looks, seconds } = await carryOut(measured, plan.job);
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
