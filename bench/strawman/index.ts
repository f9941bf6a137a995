import { BlobServiceClient } from "@azure/storage-blob";
import type { OrchestrationContext, Task } from "durable-functions";
import * as df from "durable-functions";
import * as z from "zod";
import { exportBatch, itemBatches } from "../graph-script.ts";

/**
 * The fan-out of a typical first version: all ids in the history, an activity for each 20 of them, and a whole response
 * in memory. It is better than most: its host.json allows four activities, as many as a mailbox accepts, and a batch is
 * one blob.
 */

const Settings = z.object({
  GRAPH_ENDPOINT: z.url(),
  LOCAL_BACKUP_TOKEN: z.string(),
  VAULT_CONNECTION_STRING: z.string(),
});
const settings = Settings.parse(process.env);

const place = { graphUrl: settings.GRAPH_ENDPOINT, token: settings.LOCAL_BACKUP_TOKEN };
const vault = BlobServiceClient.fromConnectionString(settings.VAULT_CONNECTION_STRING).getContainerClient("vault");

const Mailbox = z.object({ mailboxId: z.string() });
const Batch = Mailbox.extend({ number: z.int(), itemIds: z.array(z.string()) });

df.app.orchestration("fan-out-backup", function* (context: OrchestrationContext): Generator<Task, number, unknown> {
  const { mailboxId } = Mailbox.parse(context.df.getInput());
  const batches = z.array(z.array(z.string())).parse(yield context.df.callActivity("list-batches", { mailboxId }));
  const tasks = batches.map((itemIds, number) =>
    context.df.callActivity("export-batch", { mailboxId, number, itemIds } satisfies z.input<typeof Batch>),
  );
  const counts = z.array(z.int()).parse(yield context.df.Task.all(tasks));
  return counts.reduce((total, count) => total + count, 0);
});

df.app.activity("list-batches", {
  handler: async (input: unknown) => {
    const batches: string[][] = [];
    for await (const batch of itemBatches(place, Mailbox.parse(input).mailboxId)) batches.push(batch);
    return batches;
  },
});

df.app.activity("export-batch", {
  handler: async (input: unknown) => {
    const { mailboxId, number, itemIds } = Batch.parse(input);
    const items = await exportBatch(place, mailboxId, itemIds);
    const body = Buffer.concat(items);
    await vault.getBlockBlobClient(`fan-out/${number}`).upload(body, body.length);
    return items.length;
  },
});
