import { aMailbox, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters, storageBytes } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { oneMailBytes, oneMailRequests, oneMailScratch } from "../targets.ts";
import { bytesSince, vaultBlobs } from "../vault-blobs.ts";

/** With the nine that every mailbox has: two thousand. */
const USER_FOLDERS = 1_991;
const ITEMS = 2_000;
const ITEM_BYTES = 1_000;

/** A night in which one mail has come into one of two thousand folders. */
export const oneNewMail: Measurement = {
  rows: [oneMailRequests, oneMailBytes, oneMailScratch],
  measure: (bench) =>
    withStack(bench, { mailboxes: [aMailbox("ada", ITEMS, ITEM_BYTES, USER_FOLDERS)] }, async (measured) => {
      const { stack, graph } = measured;
      const mailbox = onlyMailbox(measured);
      bench.say("Backing up 2,000 folders, and again with one new mail");
      await backUp(stack, mailbox, ITEMS);
      const before = await vaultBlobs(stack);
      await graph.run("create-items", { mailbox: mailbox.id, folder: "inbox", count: 1, bytes: ITEM_BYTES });
      await resetCounters(measured);
      await backUp(stack, mailbox, ITEMS + 1);
      const { mailboxes: counted } = await graphCounters(measured);
      const stored = await bytesSince(stack, before);
      return new Map([
        [oneMailRequests, counted[mailbox.id]?.requests ?? Number.NaN],
        [oneMailBytes, stored / 1000],
        [oneMailScratch, ((await storageBytes(stack)) - stored) / 1000],
      ]);
    }),
};
