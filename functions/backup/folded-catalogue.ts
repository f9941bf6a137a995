import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import type { MailboxKey, RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, readJson, required } from "../../shared/storage/blobs.ts";
import { createOnce } from "../../shared/storage/create-once.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { PackName } from "../../shared/vault/names.ts";
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

/** Name of a pack, and the first 8 digits of the SHA-256 of each live item in it. */
const PackLine = z.tuple([PackName, z.array(z.string())]);

const FoldedIndex = z.object({
  generation: z.string(),
  /** The number of segments of each bucket, and of the packs. */
  segments: z.array(z.int().nonnegative()),
  /** What every folder of the snapshot holds. */
  contents: z.record(z.string(), FolderContent),
});
type FoldedIndex = z.output<typeof FoldedIndex>;

/** An item that is live in the snapshot that a run follows. */
export interface FoldedItem {
  readonly id: string;
  readonly folderId: string;
  /** Empty where the pack of the item is known to be gone: no version of it counts as stored. */
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
  /** Packs with live items, some more than once, each with the first 8 digits of the SHA-256 of these items. */
  hashesByPack(): AsyncIterable<readonly [PackName, readonly string[]]>;
}

/** The run that folds, and its folders. */
export interface FoldingRun {
  readonly key: MailboxKey;
  readonly runId: RunId;
  readonly folders: readonly RunFolder[];
  readonly full?: boolean;
}

/**
 * Folds the snapshot on the first need, once for the whole run: its items are kept as scratch data, where later waves
 * and the commit find them, in whatever process. Two that fold at the same time write blobs of their own, and the one
 * that ends first counts for both. Takes 8 MiB of memory, and the contents of the folders. A `full` run also looks
 * whether packs are there, in one listing: whoever asks for it wants again what is lost.
 */
export const foldedCatalogue = (
  { vault, work }: { readonly vault: Blobs; readonly work: Blobs },
  { key, runId, folders, full = false }: FoldingRun,
  snapshotId: SnapshotId,
  { bucketItems = BUCKET_ITEMS, waitingChars = WAITING_CHARS } = {},
): FoldedCatalogue => {
  const indexName = `${runId}/catalogue/index.json`;
  const segmentName = (generation: string, bucket: number, segment: number): string =>
    `${runId}/catalogue/${generation}/b${bucket}-${segment}.jsonl.gz`;
  const buckets = bucketsOf(folders, bucketItems);
  const numbers = new Map(folders.map(({ id }, number) => [id, number]));
  const bucketOf = (folderId: string) => buckets[numbers.get(folderId) ?? -1];
  /** A last bucket has the lines of packs. */
  const ofPacks = (buckets.at(-1) ?? -1) + 1;

  const fold = async (): Promise<FoldedIndex> => {
    const generation = randomBytes(4).toString("hex");
    const contents = new Map<string, { items: number; bytes: number }>();
    const segments = Array.from({ length: ofPacks + 1 }, () => 0);
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
    const add = async (bucket: number, value: unknown): Promise<void> => {
      const place = waiting[bucket];
      if (place === undefined) return;
      const line = `${JSON.stringify(value)}\n`;
      place.lines.push(line);
      place.chars += line.length;
      chars += line.length;
      if (chars > waitingChars) await write(fullest(waiting));
    };
    const packs = full ? await packsOf(vault, key) : undefined;
    let last: { readonly pack: PackName; readonly hashes: string[] } | undefined;
    for await (const { id, folderId, changeKey, rawBytes, pack, sha256 } of foldSnapshot(vault, key, snapshotId)) {
      if (last?.pack !== pack) {
        if (last !== undefined) await add(ofPacks, [last.pack, last.hashes]);
        last = { pack, hashes: [] };
      }
      last.hashes.push(sha256.slice(0, 8));
      const content = contents.get(folderId) ?? { items: 0, bytes: 0 };
      contents.set(folderId, { items: content.items + 1, bytes: content.bytes + rawBytes });
      const bucket = bucketOf(folderId);
      const version = packs === undefined || packs.has(pack) ? changeKey : "";
      if (bucket !== undefined) await add(bucket, [numbers.get(folderId), id, version, rawBytes]);
    }
    if (last !== undefined) await add(ofPacks, [last.pack, last.hashes]);
    for (const bucket of segments.keys()) await write(bucket);
    return createOnce(work, indexName, FoldedIndex, { generation, segments, contents: Object.fromEntries(contents) });
  };

  let opened: Promise<FoldedIndex> | undefined;
  const open = (): Promise<FoldedIndex> => {
    opened ??= readJson(work, indexName, FoldedIndex).then((kept) => kept ?? fold());
    return opened;
  };

  const linesOf = async function* <T>(bucket: number, schema: z.ZodType<T>): AsyncGenerator<T> {
    const { generation, segments } = await open();
    for (let segment = 0; segment < (segments[bucket] ?? 0); segment += 1) {
      const name = segmentName(generation, bucket, segment);
      const { body } = required(await work.readWhole(name), `The scratch data has no ${name}`);
      for (const text of (await decompress(body)).toString().trimEnd().split("\n"))
        yield schema.parse(JSON.parse(text));
    }
  };

  return {
    contents: async () => new Map(Object.entries((await open()).contents)),
    bucketOf,
    itemsIn: async function* (bucket) {
      for await (const [number, id, changeKey, rawBytes] of linesOf(bucket, Line))
        yield { folderId: folders[number]?.id ?? "", id, changeKey, rawBytes };
    },
    hashesByPack: () => linesOf(ofPacks, PackLine),
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

/** The packs of a mailbox that are there. */
const packsOf = async (vault: Blobs, key: MailboxKey): Promise<ReadonlySet<string>> => {
  const packs = new Set<string>();
  for await (const { name } of vault.list(`${key}/packs/`)) packs.add(name);
  return packs;
};
