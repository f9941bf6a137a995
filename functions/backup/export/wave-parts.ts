import { randomBytes } from "node:crypto";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import type { BatchId } from "../../../shared/contracts/lane.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { PartRef } from "../../../shared/vault/manifest.ts";
import { partName } from "../../../shared/vault/names.ts";
import { MAX_PART_RECORDS, writePart } from "../../../shared/vault/part-writer.ts";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";

/** Records that a part is written for: at two kilobytes each, those of eight mailboxes take 32 MB. */
const PART_RECORDS = 2_000;

/**
 * Collects the records of batches that end in any order, and writes them in the order of the batches. An item that
 * changed during the run may be in two batches; the later one must apply last.
 */
export interface WaveParts {
  begin(id: BatchId): void;
  /** The batch is not exported after all. */
  drop(id: BatchId): void;
  /** Adds the batch's records; resolves when the part that they complete, if any, is written. */
  end(id: BatchId, records: readonly CatalogueRecord[]): Promise<void>;
  /** Writes the remaining records. Returns all parts in the order in which they apply. */
  close(): Promise<PartRef[]>;
  /** Of the batches that have ended. */
  readonly counts: RecordCounts;
}

/** Items by outcome; `bytes` are of their raw streams, `storedBytes` what they take in packs of the run. */
interface RecordCounts {
  readonly exported: number;
  readonly skipped: number;
  readonly failed: number;
  /** Of the skipped ones, those that the next run asks for again. */
  readonly again: number;
  readonly bytes: number;
  readonly storedBytes: number;
}

export const waveParts = (
  vault: Blobs,
  { key, runId, wave }: { readonly key: MailboxKey; readonly runId: RunId; readonly wave: number },
  partRecords = PART_RECORDS,
): WaveParts => {
  // Two deliveries of a wave store different records, so each needs part names of its own.
  const prefix = `w${String(wave).padStart(5, "0")}-${randomBytes(4).toString("hex")}`;
  const underWay = new Set<BatchId>();
  const writing: Promise<PartRef>[] = [];
  const counts = { exported: 0, skipped: 0, failed: 0, again: 0, bytes: 0, storedBytes: 0 };
  let ended: { readonly id: BatchId; readonly records: readonly CatalogueRecord[] }[] = [];

  /** Ended batches before every batch under way: no other can come before them any more. */
  const settled = () => {
    const [first] = [...underWay].toSorted(inOrder);
    return ended.filter(({ id }) => first === undefined || inOrder(id, first) < 0);
  };

  const count = (record: CatalogueRecord): void => {
    if (record.op === "skip") counts.skipped += 1;
    if (record.op === "skip" && record.again === true) counts.again += 1;
    if (record.op === "fail") counts.failed += 1;
    if (record.op !== "put") return;
    counts.exported += 1;
    counts.bytes += record.rawBytes;
    if (record.recordedIn === undefined) counts.storedBytes += record.storedBytes;
  };

  /** More than fit into a part wait where one batch takes long, and others end meanwhile. */
  const write = async (batches: typeof ended): Promise<void> => {
    ended = ended.filter((batch) => !batches.includes(batch));
    const records = batches.toSorted((a, b) => inOrder(a.id, b.id)).flatMap((batch) => batch.records);
    const first = writing.length;
    for (let from = 0; from < records.length; from += MAX_PART_RECORDS)
      writing.push(writeOne(records.slice(from, from + MAX_PART_RECORDS), writing.length));
    await Promise.all(writing.slice(first));
  };

  const writeOne = async (records: readonly CatalogueRecord[], number: number): Promise<PartRef> => {
    const name = partName(key, runId, `${prefix}-${String(number).padStart(4, "0")}`);
    const written = await writePart(vault, name, records);
    if (written === "exists") throw new Error(`${name} exists already`);
    return written;
  };

  return {
    begin: (id) => {
      underWay.add(id);
    },
    drop: (id) => {
      underWay.delete(id);
    },
    end: async (id, records) => {
      underWay.delete(id);
      ended.push({ id, records });
      records.forEach(count);
      const batches = settled();
      const waiting = batches.reduce((sum, batch) => sum + batch.records.length, 0);
      if (waiting >= partRecords) await write(batches);
    },
    close: async () => {
      if (ended.some((batch) => batch.records.length > 0)) await write(ended);
      return Promise.all(writing);
    },
    get counts() {
      return { ...counts };
    },
  };
};

const inOrder = (a: BatchId, b: BatchId): number => a.chunk - b.chunk || a.batch - b.batch;
