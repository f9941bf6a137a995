import { createHash } from "node:crypto";
import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import type { ManifestFolder } from "../../shared/vault/manifest.ts";
import type { PutRecord } from "../../shared/vault/records.ts";
import { listMailboxes, readHead, readManifest } from "../../shared/vault/snapshots.ts";

/** Mailboxes that a sample comes from, and that are looked at for it: some may hold nothing. Our own choice. */
const SAMPLED = 5;
const MAX_LOOKED_AT = 20;

/** The items of a sample that come from one mailbox. */
export interface MailboxSample {
  readonly mailbox: MailboxKey;
  readonly snapshotId: SnapshotId;
  readonly folders: readonly ManifestFolder[];
  readonly items: readonly PutRecord[];
}

export interface Sample {
  readonly mailboxes: readonly MailboxSample[];
  readonly damaged: readonly { readonly mailbox: MailboxKey; readonly damage: string }[];
}

/**
 * Draws items from the newest snapshots of a few mailboxes, as evenly as they have them. Which ones is a function of the
 * seed and of what the vault holds, so that a second delivery draws the same. Holds no more than the sample in memory.
 */
export const drawSample = async (
  vault: Blobs,
  { seed, items, except }: { readonly seed: string; readonly items: number; readonly except: MailboxKey },
): Promise<Sample> => {
  const keys: MailboxKey[] = [];
  for await (const key of listMailboxes(vault)) if (key !== except) keys.push(key);
  const drawn: MailboxSample[] = [];
  const damaged: { mailbox: MailboxKey; damage: string }[] = [];
  for (const key of byLot(keys, seed).slice(0, MAX_LOOKED_AT)) {
    if (drawn.length === SAMPLED) break;
    try {
      const sample = await drawFrom(vault, key, seed, items);
      if (sample !== undefined) drawn.push(sample);
    } catch (error) {
      if (!(error instanceof VaultDamageError)) throw error;
      damaged.push({ mailbox: key, damage: error.message });
    }
  }
  return { mailboxes: evenly(drawn, items), damaged };
};

const lot = (seed: string, name: string): string => createHash("sha256").update(`${seed}\n${name}`).digest("hex");

const byLot = (names: readonly string[], seed: string): string[] =>
  names
    .map((name) => ({ name, lot: lot(seed, name) }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1))
    .map(({ name }) => name);

/** The items of the lowest lots; `undefined` for a mailbox without any. */
const drawFrom = async (
  vault: Blobs,
  mailbox: MailboxKey,
  seed: string,
  most: number,
): Promise<MailboxSample | undefined> => {
  const newest = (await readHead(vault, mailbox))?.newest;
  const snapshot = newest && (await readManifest(vault, mailbox, newest.id));
  if (!newest || !snapshot) return undefined;
  let lowest: { readonly lot: string; readonly item: PutRecord }[] = [];
  for await (const item of foldSnapshot(vault, mailbox, newest.id)) {
    const drawn = { lot: lot(seed, `${item.folderId}\n${item.id}`), item };
    if (lowest.length === most && drawn.lot > (lowest.at(-1)?.lot ?? "")) continue;
    lowest = [...lowest, drawn].sort((a, b) => (a.lot < b.lot ? -1 : 1)).slice(0, most);
  }
  const items = lowest.map(({ item }) => item);
  return items.length === 0 ? undefined : { mailbox, snapshotId: newest.id, folders: snapshot.manifest.folders, items };
};

/** So many items in all, one from each mailbox in turn. */
const evenly = (samples: readonly MailboxSample[], most: number): MailboxSample[] => {
  const taken = samples.map(() => 0);
  let left = most;
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
