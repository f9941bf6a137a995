import { BlobServiceClient } from "@azure/storage-blob";
import { aMailbox, type BenchStack, onlyMailbox, withStack } from "../bench-stack.ts";
import { graphCounters, resetCounters } from "../counters.ts";
import type { Measurement, Row } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { oneMailBytes, oneMailRequests, quietBytes, quietRequests } from "../targets.ts";

/** Every mailbox has nine folders beside those that are asked for. */
const ITEMS = 400;

/** Bytes of all blobs but the heads, by name. */
const storedBlobs = async (connectionString: string): Promise<Map<string, number>> => {
  const vault = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("vault");
  const stored = new Map<string, number>();
  for await (const { name, properties } of vault.listBlobsFlat())
    if (!name.endsWith("/head.json")) stored.set(name, properties.contentLength ?? 0);
  return stored;
};

/** What the second run of a mailbox asks and stores, after some act. */
const secondRun =
  (
    what: string,
    { userFolders, act = async () => 0 }: { userFolders: number; act?: (stack: BenchStack) => Promise<number> },
    { requests, bytes }: { readonly requests: Row; readonly bytes: Row },
  ): Measurement["measure"] =>
  (bench) =>
    withStack(bench, { mailboxes: [aMailbox("ada", ITEMS, 1_000, userFolders)] }, async (measured) => {
      const { stack } = measured;
      const mailbox = onlyMailbox(measured);
      bench.say(`Backing up ${what}, and again`);
      await backUp(stack.hostUrl, mailbox, ITEMS);
      const added = await act(measured);
      const before = await storedBlobs(stack.connectionString);
      await resetCounters(measured);
      await backUp(stack.hostUrl, mailbox, ITEMS + added);
      const { mailboxes: counted } = await graphCounters(measured);
      const after = [...(await storedBlobs(stack.connectionString))];
      const stored = after.filter(([name]) => !before.has(name)).reduce((sum, [, each]) => sum + each, 0);
      return new Map([
        [requests, counted[mailbox.id]?.requests ?? Number.NaN],
        [bytes, stored],
      ]);
    });

/** A second run of a mailbox in which nothing has changed. */
export const quietRun: Measurement = {
  rows: [quietRequests, quietBytes],
  measure: secondRun("100 folders", { userFolders: 91 }, { requests: quietRequests, bytes: quietBytes }),
};

const oneNewMail = async ({ graph, mailboxes: [mailbox] }: BenchStack): Promise<number> => {
  await graph.run("create-items", { mailbox: mailbox?.id, folder: "inbox", count: 1, bytes: 1_000 });
  return 1;
};

/** A second run of a mailbox with very many folders, one of which has a new mail. */
export const oneMailRun: Measurement = {
  rows: [oneMailRequests, oneMailBytes],
  measure: secondRun(
    "2,000 folders",
    { userFolders: 1_991, act: oneNewMail },
    { requests: oneMailRequests, bytes: oneMailBytes },
  ),
};
