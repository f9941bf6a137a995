import { BlobServiceClient } from "@azure/storage-blob";
import { aMailbox, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters } from "../counters.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { quietBytes, quietRequests } from "../targets.ts";

/** With the nine that every mailbox has: one hundred. */
const USER_FOLDERS = 91;
const ITEMS = 400;

/** Bytes of all blobs but the heads, by name. */
const storedBlobs = async (connectionString: string): Promise<Map<string, number>> => {
  const vault = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("vault");
  const stored = new Map<string, number>();
  for await (const { name, properties } of vault.listBlobsFlat())
    if (!name.endsWith("/head.json")) stored.set(name, properties.contentLength ?? 0);
  return stored;
};

/** A second run of a mailbox in which nothing has changed. */
export const quietRun: Measurement = {
  rows: [quietRequests, quietBytes],
  measure: (bench) =>
    withStack(bench, { mailboxes: [aMailbox("ada", ITEMS, 1_000, USER_FOLDERS)] }, async (measured) => {
      const { stack } = measured;
      const mailbox = onlyMailbox(measured);
      bench.say("Backing up 100 folders, and again");
      await backUp(stack.hostUrl, mailbox, ITEMS);
      const before = await storedBlobs(stack.connectionString);
      await resetCounters(measured);
      await backUp(stack.hostUrl, mailbox, ITEMS);
      const { mailboxes: counted } = await graphCounters(measured);
      const after = [...(await storedBlobs(stack.connectionString))];
      const added = after.filter(([name]) => !before.has(name)).reduce((sum, [, bytes]) => sum + bytes, 0);
      return new Map([
        [quietRequests, counted[mailbox.id]?.requests ?? Number.NaN],
        [quietBytes, added],
      ]);
    }),
};
