import { aMailbox, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { quietBytes, quietRequests } from "../targets.ts";
import { bytesSince, vaultBlobs } from "../vault-blobs.ts";

/** With the nine that every mailbox has: one hundred. */
const USER_FOLDERS = 91;
const ITEMS = 400;

/** A second run of a mailbox in which nothing has changed. */
export const quietRun: Measurement = {
  rows: [quietRequests, quietBytes],
  measure: (bench) =>
    withStack(bench, { mailboxes: [aMailbox("ada", ITEMS, 1_000, USER_FOLDERS)] }, async (measured) => {
      const { stack } = measured;
      const mailbox = onlyMailbox(measured);
      bench.say("Backing up 100 folders, and again");
      await backUp(stack, mailbox, ITEMS);
      const before = await vaultBlobs(stack);
      await resetCounters(measured);
      await backUp(stack, mailbox, ITEMS);
      const { mailboxes: counted } = await graphCounters(measured);
      return new Map([
        [quietRequests, counted[mailbox.id]?.requests ?? Number.NaN],
        [quietBytes, await bytesSince(stack, before)],
      ]);
    }),
};
