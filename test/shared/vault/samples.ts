import { createHash } from "node:crypto";
import fc from "fast-check";
import type { ManifestV2, PartRef } from "../../../shared/vault/manifest.ts";
import { merkleRoot } from "../../../shared/vault/merkle.ts";
import { packName } from "../../../shared/vault/names.ts";
import type { ItemFacts, PutRecord, StoredItem } from "../../../shared/vault/records.ts";

export const aKey = "xj4bnp4pahh6uqkbidpf3lrceo";
export const aSnapshot = "20261122T010000Z-abc234";
export const aPack = packName(aKey, aSnapshot, 0, 3);

/** The id of the nth snapshot of a chain. */
export const snapshotAt = (n: number): string => `20261122T01${String(n).padStart(4, "0")}Z-abc234`;

export const someFacts = (overrides: Partial<ItemFacts> = {}): ItemFacts => ({
  id: "AAMkAD/item+1=",
  changeKey: "CQAAABYAAAA",
  folderId: "AAMkAD/inbox=",
  type: "IPM.Note",
  sizeBytes: 1_234,
  created: "2026-11-20T08:00:00Z",
  modified: "2026-11-21T09:30:00.1234567Z",
  categories: [],
  ...overrides,
});

export const aStoredItem = (overrides: Partial<StoredItem> = {}): StoredItem => ({
  pack: aPack,
  offset: 35,
  storedBytes: 10,
  method: "store",
  rawBytes: 10,
  sha256: createHash("sha256").update("").digest("hex"),
  ...overrides,
});

export const aPut = (overrides: Partial<PutRecord> = {}): PutRecord => ({
  v: 1,
  op: "put",
  ...someFacts(),
  ...aStoredItem(),
  ...overrides,
});

export const aManifest = (overrides: Partial<ManifestV2> = {}): ManifestV2 => {
  const parts: PartRef[] = overrides.parts ?? [];
  return {
    v: 2,
    id: aSnapshot,
    base: true,
    parent: null,
    mailboxKey: aKey,
    mailboxId: "MBX:e0643f21@a7809c93",
    kind: "primary",
    started: "2026-11-22T01:00:00Z",
    finished: "2026-11-22T01:02:00Z",
    trigger: "schedule",
    counts: { put: 0, removed: 0, skipped: 0, failed: 0, folders: 0, problems: 0, rawBytes: 0, storedBytes: 0 },
    parts,
    root: merkleRoot(parts.map(({ sha256 }) => sha256)),
    state: "complete",
    program: "0.1.0",
    ...overrides,
  };
};

/** Bytes in chunks of any size, as they arrive from a network. */
export async function* inChunks(bytes: Uint8Array, chunkBytes = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

/** Items from empty to several kilobytes, some that deflate well, some that do not. */
export const anItem = fc.oneof(
  fc.constant(new Uint8Array()),
  fc.uint8Array({ maxLength: 5_000, size: "max" }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(500))
    .map(([piece, times]) => Uint8Array.from(Buffer.concat(Array.from({ length: times }, () => piece)))),
);
