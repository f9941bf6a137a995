import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import type { MailboxKey, RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, readJson, required } from "../../shared/storage/blobs.ts";
import { createOnce } from "../../shared/storage/create-once.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { FolderContent } from "../../shared/vault/snapshot-index.ts";
import type { RunFolder } from "./run-state.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Items that a bucket is cut for: what is read to answer for one folder. Our own choice. */
const BUCKET_ITEMS = 20_000;

/** Characters of lines that wait in memory, of all buckets, before those of the fullest one are written. */
const WAITING_CHARS = 8 * 1024 * 1024;

/** Number of the folder in its run, id, change key, and bytes of the raw stream. */
const Line = z.tuple([z.int().nonnegative(), z.string(), z.string(), z.int().nonnegative()]);

const FoldedIndex = z.object({
  generation: z.string(),
  /** The number of segments of each bucket. */
  segments: z.array(z.int().nonnegative()),
  /** What every folder of the snapshot holds. */
  contents: z.record(z.string(), FolderContent),
});
type FoldedIndex = z.output<typeof FoldedIndex>;

/** An item that is live in the snapshot that a run follows. */
export interface FoldedItem {
  readonly id: string;
  readonly folderId: string;
  readonly changeKey: string;
  readonly rawBytes: number;
}

/** The live items of the snapshot that a run follows, in buckets of folders that are planned one after the other. */
export interface FoldedCatalogue {
  /** What each folder of the snapshot holds. */
  contents(): Promise<ReadonlyMap<string, FolderContent>>;
  /** The bucket of a folder of the run. */
  bucketOf(folderId: string): number | undefined;
  /** The items of a bucket. */
  itemsIn(bucket: number): AsyncIterable<FoldedItem>;
}

/**
 * Folds the snapshot on the first need, once for the whole run: its items are kept as scratch data, where later waves
 * and the commit find them, in whatever process. Two that fold at the same time write blobs of their own, and the one
 * that ends first counts for both. Takes 8 MiB of memory, and the contents of the folders.
 */
export const foldedCatalogue = (
  { vault, work }: { readonly vault: Blobs; readonly work: Blobs },
  { key, runId, folders }: { readonly key: MailboxKey; readonly runId: RunId; readonly folders: readonly RunFolder[] },
  snapshotId: SnapshotId,
  { bucketItems = BUCKET_ITEMS, waitingChars = WAITING_CHARS } = {},
): FoldedCatalogue => {
  const indexName = `${runId}/catalogue/index.json`;
  const segmentName = (generation: string, bucket: number, segment: number): string =>
    `${runId}/catalogue/${generation}/b${bucket}-${segment}.jsonl.gz`;
  const buckets = bucketsOf(folders, bucketItems);
  const numbers = new Map(folders.map(({ id }, number) => [id, number]));
  const bucketOf = (folderId: string) => buckets[numbers.get(folderId) ?? -1];

  const fold = async (): Promise<FoldedIndex> => {
    const generation = randomBytes(4).toString("hex");
    const contents = new Map<string, { items: number; bytes: number }>();
    const segments = Array.from({ length: (buckets.at(-1) ?? -1) + 1 }, () => 0);
    const waiting = segments.map(() => ({ lines: [] as string[], chars: 0 }));
    let chars = 0;
    const write = async (bucket: number): Promise<void> => {
      const full = waiting[bucket];
      if (full === undefined || full.chars === 0) return;
      const text = full.lines.join("");
      chars -= full.chars;
      waiting[bucket] = { lines: [], chars: 0 };
      await work.create(segmentName(generation, bucket, segments[bucket] ?? 0), await compress(text));
      segments[bucket] = (segments[bucket] ?? 0) + 1;
    };
    for await (const { id, folderId, changeKey, rawBytes } of foldSnapshot(vault, key, snapshotId)) {
      const content = contents.get(folderId) ?? { items: 0, bytes: 0 };
      contents.set(folderId, { items: content.items + 1, bytes: content.bytes + rawBytes });
      const bucket = bucketOf(folderId);
      const place = bucket === undefined ? undefined : waiting[bucket];
      if (place === undefined) continue;
      const line = `${JSON.stringify([numbers.get(folderId), id, changeKey, rawBytes])}\n`;
      place.lines.push(line);
      place.chars += line.length;
      chars += line.length;
      if (chars > waitingChars) await write(fullest(waiting));
    }
    for (const bucket of segments.keys()) await write(bucket);
    return createOnce(work, indexName, FoldedIndex, { generation, segments, contents: Object.fromEntries(contents) });
  };

  let opened: Promise<FoldedIndex> | undefined;
  const open = (): Promise<FoldedIndex> => {
    opened ??= readJson(work, indexName, FoldedIndex).then((kept) => kept ?? fold());
    return opened;
  };

  return {
    contents: async () => new Map(Object.entries((await open()).contents)),
    bucketOf,
    itemsIn: async function* (bucket) {
      const { generation, segments } = await open();
      for (let segment = 0; segment < (segments[bucket] ?? 0); segment += 1) {
        const name = segmentName(generation, bucket, segment);
        const { body } = required(await work.readWhole(name), `The scratch data has no ${name}`);
        for (const text of (await decompress(body)).toString().trimEnd().split("\n")) {
          const [number, id, changeKey, rawBytes] = Line.parse(JSON.parse(text));
          yield { folderId: folders[number]?.id ?? "", id, changeKey, rawBytes };
        }
      }
    },
  };
};

/** The bucket of each folder. A bucket ends where it has its number of items, as Exchange counts them. */
const bucketsOf = (folders: readonly RunFolder[], bucketItems: number): number[] => {
  let bucket = 0;
  let items = 0;
  return folders.map(({ itemCount }) => {
    if (items > 0 && items + itemCount > bucketItems) {
      bucket += 1;
      items = 0;
    }
    items += itemCount;
    return bucket;
  });
};

const fullest = (waiting: readonly { readonly chars: number }[]): number =>
  waiting.reduce((most, { chars }, bucket) => (chars > (waiting[most]?.chars ?? 0) ? bucket : most), 0);
