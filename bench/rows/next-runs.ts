import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters, sum } from "../counters.ts";
import type { Measurement, Row } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { changedRun, nextRefusals, quietWall } from "../targets.ts";

/** With the nine that every mailbox has: forty-five. */
const USER_FOLDERS = 36;
const ITEMS = 6_000;
const LATENCY_SECONDS = 1;

/** Items that change before the last run, 1 % of all, and the folders that they are in. */
const CHANGES: Readonly<Record<string, number>> = { inbox: 30, sentitems: 14, "user-0": 8, "user-7": 4, "user-30": 4 };

/** The folders' delta, then that of each folder. */
const QUIET_CHAIN = 2;

/** After these: what enriches the changes, and an export. */
const CHANGED_CHAIN = 4;

/** How long a run takes whose slots are never idle, but for the longest chain of requests that need each other. */
const leastSeconds = (requests: number, chain: number): number =>
  (chain + (requests - chain) / MAILBOX_SLOTS) * LATENCY_SECONDS;

const overLeast = async (measured: BenchStack, items: number, chain: number) => {
  await resetCounters(measured);
  const mailbox = onlyMailbox(measured);
  const { seconds } = await backUp(measured.stack, mailbox, items);
  const { throttled, mailboxes } = await graphCounters(measured);
  const { requests = 0, highestConcurrency = 0 } = mailboxes[mailbox.id] ?? {};
  if (highestConcurrency > MAILBOX_SLOTS) throw new Error(`${highestConcurrency} requests were under way at once`);
  return { ratio: seconds / leastSeconds(requests, chain), refusals: sum(throttled) };
};

/** The runs after the first of a mailbox of 45 folders: nothing has changed, and then 1 % of its items. */
export const nextRuns: Measurement = {
  rows: [quietWall, changedRun, nextRefusals],
  measure: (bench) => {
    const mailbox = {
      kind: "generated",
      userPrincipalName: "ada@contoso.example",
      items: ITEMS,
      userFolders: USER_FOLDERS,
      bytes: { fixed: 4_000 },
    } as const;
    return withStack(bench, { mailboxes: [mailbox] }, async (measured) => {
      const { stack, graph } = measured;
      const { id } = onlyMailbox(measured);
      bench.say(`Backing up 45 folders, again, and again with changes, at ${LATENCY_SECONDS} s a request`);
      await backUp(stack, onlyMailbox(measured), ITEMS);
      await graph.run("settings", { latencyMs: LATENCY_SECONDS * 1000 });
      const quiet = await overLeast(measured, ITEMS, QUIET_CHAIN);
      let items = ITEMS;
      for (const [folder, count] of Object.entries(CHANGES)) {
        await graph.run("create-items", { mailbox: id, folder, count });
        items += count;
      }
      const changed = await overLeast(measured, items, CHANGED_CHAIN);
      return new Map<Row, number>([
        [quietWall, quiet.ratio],
        [changedRun, changed.ratio],
        [nextRefusals, quiet.refusals + changed.refusals],
      ]);
    });
  },
};
