import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { exportChunks } from "../../shared/contracts/backup.ts";
import type { BatchRange } from "../../shared/contracts/lane.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { GraphError } from "../../shared/graph/graph-error.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { packName, partName } from "../../shared/vault/names.ts";
import { readPackIndex } from "../../shared/vault/pack-reader.ts";
import { openPack } from "../../shared/vault/pack-writer.ts";
import { writePart } from "../../shared/vault/part-writer.ts";
import type { CatalogueRecord, ItemFacts } from "../../shared/vault/records.ts";
import { readChunk } from "../../shared/work/run-state.ts";
import { exportBatch } from "./export-batch.ts";
import { findLaneResult, type LaneResult, laneMetadata } from "./lane-result.ts";

/** A lane ends when its part would grow beyond what a reader takes in at once. */
const MOST_RECORDS = 18_000;

/** A lane with a short budget still waits out a passing fault: a retry by the task hub would take longer. */
const LEAST_PATIENCE_MS = 30_000;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
}

type Input = z.output<typeof exportChunks.input>;

/**
 * One lane: exports batch after batch, each into a pack, until its ranges are done or its time is up, and ends with the
 * part that names them. While a pack is being uploaded the next batch is already on its way.
 *
 * Run twice, even at the same time: packs and the part are created once. A pack that is there is read instead of
 * exported again, and whoever finds the part there answers what the part says.
 */
export const exportChunksActivity = (deps: Deps): ActivityHandler =>
  implement(exportChunks, async (input) => {
    const part = partName(input.mailbox.key, input.runId, lanePart(input.wave, input.lane));
    const earlier = await findLaneResult(deps.vault, part);
    if (earlier !== undefined) return earlier;

    const { result, records } = await runLane(deps, input);
    const written = await writePart(deps.vault, part, records, laneMetadata(result));
    if (written !== "exists") return result;
    const rival = await findLaneResult(deps.vault, part);
    if (rival === undefined) throw new Error(`${part} is there, and then it is not`);
    return rival;
  });

const lanePart = (wave: number, lane: number): string => `w${String(wave).padStart(5, "0")}-l${lane}`;

const runLane = async (
  deps: Deps,
  { mailbox, runId, ranges, budgetMs }: Input,
): Promise<{ result: LaneResult; records: CatalogueRecord[] }> => {
  const started = Date.now();
  const deadline = started + budgetMs;
  const untilMs = Math.max(deadline, started + LEAST_PATIENCE_MS);
  let throttled = 0;
  const graph = deps.openGraph({
    untilMs,
    throttled: () => {
      throttled += 1;
    },
  });

  const records: CatalogueRecord[] = [];
  const done: Batch[] = [];
  let waitMs = 0;
  let closing: Promise<CatalogueRecord[]> = Promise.resolve([]);
  for await (const batch of batchesOf(deps, runId, mailbox, ranges)) {
    if (done.length > 0 && (Date.now() >= deadline || records.length >= MOST_RECORDS)) break;
    try {
      const close = await beginBatch(deps.vault, graph, { mailbox, runId }, batch);
      records.push(...(await closing));
      closing = close();
      // Its failure is met where it is awaited, one batch later.
      closing.catch(() => undefined);
      done.push(batch);
    } catch (error) {
      if (!(error instanceof GraphError) || error.status !== 429) throw error;
      waitMs = error.retryAfterMs ?? 0;
      break;
    }
  }
  records.push(...(await closing));

  return {
    records,
    result: {
      ...countRecords(records),
      batches: done.length,
      left: without(ranges, done),
      elapsedMs: Date.now() - started,
      throttled,
      waitMs,
    },
  };
};

interface Batch {
  readonly chunk: number;
  readonly batch: number;
  readonly items: readonly ItemFacts[];
  /** Whether a pack of this batch was there when the lane came to its chunk. */
  readonly packed: boolean;
}

async function* batchesOf(
  { vault, work }: Deps,
  runId: RunId,
  mailbox: MailboxRef,
  ranges: readonly BatchRange[],
): AsyncGenerator<Batch> {
  for (const { chunk, from, to } of ranges) {
    const { batches } = await readChunk(work, runId, chunk);
    const prefix = packName(mailbox.key, runId, chunk, 0).replace(/0\.zip$/, "");
    const packs = new Set<string>();
    for await (const { name } of vault.list(prefix)) packs.add(name);
    for (let batch = from; batch < to; batch += 1) {
      const packed = packs.has(packName(mailbox.key, runId, chunk, batch));
      yield { chunk, batch, items: batches[batch] ?? [], packed };
    }
  }
}

/** Takes in one batch; what it gives makes the pack appear, and resolves to the records that then stand. */
const beginBatch = async (
  vault: Blobs,
  graph: GraphClient,
  { mailbox, runId }: Pick<Input, "mailbox" | "runId">,
  { chunk, batch, items, packed }: Batch,
): Promise<() => Promise<CatalogueRecord[]>> => {
  const name = packName(mailbox.key, runId, chunk, batch);
  const stands = async (): Promise<CatalogueRecord[]> => {
    const records = await readPackIndex(vault, name);
    if (records === undefined) throw new Error(`${name} is there, and then it is not`);
    return records;
  };
  if (packed) return stands;
  const pack = openPack(vault, name);
  const records = await exportBatch(graph, mailbox, items, pack);
  return async () => ((await pack.close(records)) === "created" ? records : stands());
};

const countRecords = (records: readonly CatalogueRecord[]) => {
  const counts = { exported: 0, skipped: 0, failed: 0, bytes: 0, storedBytes: 0 };
  for (const record of records) {
    if (record.op === "put") {
      counts.exported += 1;
      counts.bytes += record.rawBytes;
      counts.storedBytes += record.storedBytes;
    } else if (record.op === "skip") counts.skipped += 1;
    else if (record.op === "fail") counts.failed += 1;
  }
  return counts;
};

/** The ranges without the batches that were done, which are always the first of them. */
const without = (ranges: readonly BatchRange[], done: readonly Batch[]): BatchRange[] => {
  let gone = done.length;
  return ranges.flatMap((range) => {
    const from = Math.min(range.to, range.from + gone);
    gone -= from - range.from;
    return from < range.to ? [{ ...range, from }] : [];
  });
};
