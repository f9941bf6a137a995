import type { RunId } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { Slots } from "../../../shared/graph/slots.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { packName } from "../../../shared/vault/names.ts";
import { readPackIndex } from "../../../shared/vault/pack-reader.ts";
import { openPack } from "../../../shared/vault/pack-writer.ts";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";
import type { Batch } from "./batch-queue.ts";
import { exportBatch } from "./export-batch.ts";

/** Exports a batch into its pack, and gives the records that then stand: those of the pack that was there first. */
export const exportIntoPack = async (
  { vault, graph, hands }: { readonly vault: Blobs; readonly graph: GraphClient; readonly hands: Slots },
  { mailbox, runId }: { readonly mailbox: MailboxRef; readonly runId: RunId },
  { place, items, packed }: Batch,
): Promise<CatalogueRecord[]> => {
  const name = packName(mailbox.key, runId, place.chunk, place.batch);
  if (!packed) {
    const letGo = await hands.take();
    try {
      const pack = openPack(vault, name);
      const records = await exportBatch(graph, mailbox, items, pack);
      if ((await pack.close(records)) === "created") return records;
    } finally {
      letGo();
    }
  }
  const records = await readPackIndex(vault, name);
  if (records === undefined) throw new Error(`${name} is there, and then it is not`);
  return records;
};
