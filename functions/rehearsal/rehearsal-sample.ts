import { createHash } from "node:crypto";
import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { readFolders } from "../../shared/vault/folders.ts";
import { findNewest } from "../../shared/vault/newest.ts";
import type { PutRecord, SnapshotFolder } from "../../shared/vault/records.ts";
import { listMailboxes } from "../../shared/vault/snapshots.ts";

/** Mailboxes that a sample comes from, and those that are tried for it: some may be empty. Our own choice. */
const SAMPLED = 5;
const MAX_TRIED = 20;

/** The items of a sample that come from one mailbox. */
export interface MailboxSample {
  readonly mailbox: MailboxKey;
  readonly snapshotId: SnapshotId;
  readonly folders: readonly SnapshotFolder[];
  readonly items: readonly PutRecord[];
}

export interface Sample {
  readonly mailboxes: readonly MailboxSample[];
  readonly damaged: readonly { readonly mailbox: MailboxKey; readonly damage: string }[];
}

/**
 * Samples items from the newest snapshots of a few mailboxes, as evenly as possible. The sample is a function of the
 * seed and of the vault, so a second delivery takes the same one. Holds no more than the sample in memory.
 */
export const sampleVault = async (
  vault: Blobs,
  { seed, items, except }: { readonly seed: string; readonly items: number; readonly except: MailboxKey },
): Promise<Sample> => {
  const keys: MailboxKey[] = [];
  for await (const key of listMailboxes(vault)) if (key !== except) keys.push(key);
  const samples: MailboxSample[] = [];
  const damaged: { mailbox: MailboxKey; damage: string }[] = [];
  for (const key of shuffled(keys, seed).slice(0, MAX_TRIED)) {
    if (samples.length === SAMPLED) break;
    try {
      const sample = await sampleMailbox(vault, key, seed, items);
      if (sample !== undefined) samples.push(sample);
    } catch (error) {
      if (!(error instanceof VaultDamageError)) throw error;
      damaged.push({ mailbox: key, damage: error.message });
    }
  }
  return { mailboxes: roundRobin(samples, items), damaged };
};

const seededHash = (seed: string, name: string): string =>
  createHash("sha256").update(`${seed}\n${name}`).digest("hex");

const shuffled = (names: readonly string[], seed: string): string[] =>
  names
    .map((name) => ({ name, hash: seededHash(seed, name) }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1))
    .map(({ name }) => name);

/** The items with the lowest hashes; `undefined` for a mailbox without items. */
const sampleMailbox = async (
  vault: Blobs,
  mailbox: MailboxKey,
  seed: string,
  max: number,
): Promise<MailboxSample | undefined> => {
  const newest = (await findNewest(vault, mailbox)).whole?.manifest;
  if (newest === undefined) return undefined;
  let lowest: { readonly hash: string; readonly item: PutRecord }[] = [];
  for await (const item of foldSnapshot(vault, mailbox, newest.id)) {
    const hashed = { hash: seededHash(seed, `${item.folderId}\n${item.id}`), item };
    if (lowest.length === max && hashed.hash > (lowest.at(-1)?.hash ?? "")) continue;
    lowest = [...lowest, hashed].sort((a, b) => (a.hash < b.hash ? -1 : 1)).slice(0, max);
  }
  const items = lowest.map(({ item }) => item);
  if (items.length === 0) return undefined;
  const { folders } = await readFolders(vault, mailbox, newest.id);
  return { mailbox, snapshotId: newest.id, folders, items };
};

/** At most `max` items in all, one from each mailbox in turn. */
const roundRobin = (samples: readonly MailboxSample[], max: number): MailboxSample[] => {
  const taken = samples.map(() => 0);
  let left = max;
  for (let round = 0; left > 0 && samples.some(({ items }) => items.length > round); round += 1)
    for (const [index, { items }] of samples.entries()) {
      if (left === 0 || items.length <= round) continue;
      taken[index] = round + 1;
      left -= 1;
    }
  return samples
    .map((sample, index) => ({ ...sample, items: sample.items.slice(0, taken[index]) }))
    .filter(({ items }) => items.length > 0);
};
