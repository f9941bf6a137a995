import { BlobServiceClient } from "@azure/storage-blob";
import { mapBounded } from "../../shared/bounded.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { aMailbox, graphPlace, onlyMailbox, withStack } from "../bench-stack.ts";
import { exportBatch, itemBatches } from "../graph-script.ts";
import type { Measurement } from "../measurement.ts";
import { backUp } from "../orchestration.ts";
import { exportRate, pipelineShare, uploadRate } from "../targets.ts";

const ITEMS = 240;
const ITEM_BYTES = 1_000_000;

/**
 * The export pipeline without a wait for Graph, compared with a plain upload of the same bytes: as many uploads at a
 * time, of as many bytes each.
 */
export const pipeline: Measurement = {
  rows: [exportRate, uploadRate, pipelineShare],
  measure: (bench) =>
    withStack(bench, { mailboxes: [aMailbox("ada", ITEMS, ITEM_BYTES)] }, async (measured) => {
      const { stack } = measured;
      const mailbox = onlyMailbox(measured);
      bench.say(`Backing up ${ITEMS} items of 1 MB, and uploading the same bytes`);
      const { seconds, bytes } = await backUp(stack, mailbox, ITEMS);

      const place = graphPlace(stack);
      const bodies: Buffer[] = [];
      for await (const ids of itemBatches(place, mailbox.id))
        bodies.push(Buffer.concat(await exportBatch(place, mailbox.id, ids)));
      const container = BlobServiceClient.fromConnectionString(stack.connectionString).getContainerClient("work");
      const uploading = performance.now();
      await mapBounded([...bodies.entries()], MAILBOX_SLOTS, ([index, body]) =>
        container.getBlockBlobClient(`plain/${index}`).upload(body, body.length),
      );
      const uploadSeconds = (performance.now() - uploading) / 1000;
      const exported = bytes / seconds / 1e6;
      const uploaded = bodies.reduce((total, { length }) => total + length, 0) / uploadSeconds / 1e6;
      return new Map([
        [exportRate, exported],
        [uploadRate, uploaded],
        [pipelineShare, exported / uploaded],
      ]);
    }),
};
