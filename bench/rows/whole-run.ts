import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters, sum } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { wholeRefusals, wholeRequests, wholeUse } from "../targets.ts";
import { overTheLeast, useOfSlots } from "./backup-run.ts";

/** With the nine that every mailbox has: forty-five. A few of them have most items, and most have some thirty. */
const USER_FOLDERS = 36;
const ITEMS = 6_000;

/** A mailbox as people have them: many folders, and items of the emulator's default sizes, 75 KB on average. */
const MAILBOX = {
  kind: "generated",
  userPrincipalName: "ada@contoso.example",
  items: ITEMS,
  userFolders: USER_FOLDERS,
} as const;

/** What the emulator counted of its only mailbox. */
const countsOf = async (measured: BenchStack) => {
  const { requests, throttled, mailboxes } = await graphCounters(measured);
  const { busyMs = 0, requests: all = 0, highestConcurrency = 0 } = mailboxes[onlyMailbox(measured).id] ?? {};
  if (highestConcurrency > MAILBOX_SLOTS) throw new Error(`${highestConcurrency} requests were under way at once`);
  return { requests, all, busyMs, refusals: sum(throttled) };
};

/** A first run of such a mailbox, from its start to its committed snapshot. */
export const wholeRun = (latencySeconds: number): Measurement => {
  const [use, ratio, refused] = [
    wholeUse(latencySeconds),
    wholeRequests(latencySeconds),
    wholeRefusals(latencySeconds),
  ];
  return {
    rows: [use, ratio, refused],
    measure: (bench) =>
      withStack(bench, { mailboxes: [MAILBOX], latencyMs: latencySeconds * 1000 }, async (measured) => {
        const mailbox = onlyMailbox(measured);
        bench.say(`Backing up ${ITEMS} items in 45 folders at ${latencySeconds} s a request`);
        await resetCounters(measured);
        const { seconds } = await backUp(measured.stack, mailbox, ITEMS);
        const { requests, all, busyMs, refusals } = await countsOf(measured);
        const folders = (await measured.graph.folders(mailbox.userId)).length;
        const pages = (requests["items"] ?? 0) + (requests["items-delta"] ?? 0);
        return new Map([
          [use, useOfSlots(busyMs, seconds)],
          [ratio, overTheLeast({ items: ITEMS, folders, pages, lookUps: 0, requests: all })],
          [refused, refusals],
        ]);
      }),
  };
};
