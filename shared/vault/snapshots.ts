import { lastRunIdAt, MailboxKey, type SnapshotId } from "../contracts/ids.ts";
import { type Blobs, type Created, updateJson } from "../storage/blobs.ts";
import { existing } from "../storage/create-once.ts";
import { type Base, readBase } from "./base.ts";
import { VaultDamageError } from "./damage.ts";
import { Head } from "./head.ts";
import { Manifest, manifestBytes, manifestSha256, type PartRef } from "./manifest.ts";
import { baseName, headName, manifestName, parseVaultName } from "./names.ts";
import type { Sha256 } from "./records.ts";
import { parseSummed, summedJson } from "./summed-json.ts";

/** A manifest with the hash of its stored bytes, which its child and the head pin. */
export interface PinnedManifest {
  manifest: Manifest;
  sha256: Sha256;
}

/** The keys of all mailboxes that have anything in the vault. */
export async function* listMailboxes(blobs: Blobs): AsyncGenerator<MailboxKey> {
  for await (const folder of blobs.listFolders("")) if (MailboxKey.safeParse(folder).success) yield folder;
}

/** `undefined` when the mailbox was never backed up. @throws {VaultDamageError} when the head was altered. */
export const readHead = async (blobs: Blobs, mailboxKey: MailboxKey): Promise<Head | undefined> => {
  const name = headName(mailboxKey);
  const found = await blobs.readWhole(name);
  return found && parseSummed(name, found.body, Head);
};

/** The mailbox's snapshots, oldest first. */
export async function* listSnapshots(blobs: Blobs, mailboxKey: MailboxKey): AsyncGenerator<SnapshotId> {
  for await (const { name } of blobs.list(`${mailboxKey}/snapshots/`)) {
    const parsed = parseVaultName(name);
    if (parsed?.kind === "manifest") yield parsed.snapshotId;
  }
}

/** The snapshots of a mailbox, and those that have a base of their own beside their manifest; oldest first. */
export interface SnapshotNames {
  readonly manifests: readonly SnapshotId[];
  readonly bases: readonly SnapshotId[];
}

export const nameSnapshots = async (blobs: Blobs, mailboxKey: MailboxKey): Promise<SnapshotNames> => {
  const manifests: SnapshotId[] = [];
  const bases: SnapshotId[] = [];
  for await (const { name } of blobs.list(`${mailboxKey}/snapshots/`)) {
    const parsed = parseVaultName(name);
    if (parsed?.kind === "manifest") manifests.push(parsed.snapshotId);
    if (parsed?.kind === "base") bases.push(parsed.snapshotId);
  }
  return { manifests, bases };
};

/** The newest snapshot that had begun by a moment; `undefined` when there is none. */
export const findSnapshotAt = async (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  moment: string,
): Promise<SnapshotId | undefined> => {
  const last = lastRunIdAt(moment);
  let found: SnapshotId | undefined;
  for await (const id of listSnapshots(blobs, mailboxKey)) {
    if (id > last) break;
    found = id;
  }
  return found;
};

/**
 * `undefined` when the snapshot does not exist. @throws {VaultDamageError} when the blob is not the manifest of its
 * name.
 */
export const readManifest = async (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): Promise<PinnedManifest | undefined> => {
  const blob = manifestName(mailboxKey, snapshotId);
  const found = await blobs.readWhole(blob);
  if (found === undefined) return undefined;

  const manifest = parseSummed(blob, found.body, Manifest);
  if (manifest.mailboxKey !== mailboxKey || manifest.id !== snapshotId)
    throw new VaultDamageError(`holds the manifest of ${manifest.mailboxKey}, ${manifest.id}`, { blob });
  return { manifest, sha256: manifestSha256(found.body) };
};

/** Writes the manifest once. When it exists already, the stored one is read and returned instead. */
export const writeManifest = async (
  blobs: Blobs,
  manifest: Manifest,
): Promise<PinnedManifest & { outcome: Created }> => {
  const name = manifestName(manifest.mailboxKey, manifest.id);
  const bytes = manifestBytes(Manifest.parse(manifest));
  const outcome = await blobs.create(name, bytes, { contentType: "application/json" });
  if (outcome === "created") return { manifest, sha256: manifestSha256(bytes), outcome };

  return { ...existing(name, await readManifest(blobs, manifest.mailboxKey, manifest.id)), outcome };
};

/**
 * Changes the head under its ETag, and returns what is then stored. `newest` and `checkedAt` never go back, so that a
 * run that commits late, or twice, cannot hide a newer one.
 *
 * @throws {VaultDamageError} when the head was altered, unless it is to be replaced: then it counts as absent.
 */
export const moveHead = (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  change: (current: Head | undefined) => Head,
  { ofDamaged = "kept" }: { readonly ofDamaged?: "kept" | "replaced" } = {},
): Promise<Head> =>
  updateJson(
    blobs,
    headName(mailboxKey),
    Head,
    (current) => advanced(current, change(current)),
    ofDamaged === "kept" ? SUMMED : REPLACING,
  );

const SUMMED = { parse: parseSummed, bytes: summedJson };

const REPLACING = {
  ...SUMMED,
  parse: <T>(...read: Parameters<typeof parseSummed<T>>): T | undefined => {
    try {
      return parseSummed(...read);
    } catch (error) {
      return noneIfDamaged(error);
    }
  },
};

/** @throws anything but damage. */
export const noneIfDamaged = (error: unknown): undefined => {
  if (!(error instanceof VaultDamageError)) throw error;
};

const advanced = (current: Head | undefined, next: Head): Head => {
  if (current === undefined) return next;
  const newest = (next.newest?.id ?? "") < (current.newest?.id ?? "") ? current.newest : next.newest;
  const checkedAt = Date.parse(next.checkedAt) < Date.parse(current.checkedAt) ? current.checkedAt : next.checkedAt;
  return { ...next, newest, checkedAt };
};

/** A snapshot as a reader folds it. */
export interface ChainLink extends PinnedManifest {
  /** The parts to fold: its own or, if it has a base beside it, those of the base. */
  readonly parts: readonly PartRef[];
  /** The base beside it, if the walk ends there. */
  readonly base?: Base;
}

/**
 * The snapshot and its ancestors down to the newest base, newest first. The newest base is the first manifest that is
 * marked as one, or that has a base beside it. Each parent's hash is checked against the pin of its child, and each
 * manifest's against the pin of its base.
 *
 * @throws {VaultDamageError} when a hash differs, or a manifest is missing.
 */
export async function* walkToBase(
  blobs: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): AsyncGenerator<ChainLink> {
  const { bases } = await nameSnapshots(blobs, mailboxKey);
  const withBase = new Set(bases);
  let next: Pin | null = { id: snapshotId };
  while (next !== null) {
    const link: ChainLink = await readLink(blobs, mailboxKey, next, withBase.has(next.id));
    yield link;
    next = link.manifest.base || link.base !== undefined ? null : link.manifest.parent;
  }
}

/** A manifest by its id and, unless it is the first of a walk, its hash. */
export interface Pin {
  readonly id: SnapshotId;
  readonly sha256?: Sha256;
}

/** One step of {@link walkToBase}. */
export const readLink = async (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  pin: Pin,
  hasBase: boolean,
): Promise<ChainLink> => {
  const blob = manifestName(mailboxKey, pin.id);
  const found = await readManifest(blobs, mailboxKey, pin.id);
  if (found === undefined) throw new VaultDamageError("the manifest is missing", { blob });
  if (pin.sha256 !== undefined && pin.sha256 !== found.sha256)
    throw new VaultDamageError(`is not the manifest that its child names: its SHA-256 is ${found.sha256}`, { blob });

  const base = hasBase ? await readBase(blobs, mailboxKey, pin.id) : undefined;
  if (base === undefined) return { ...found, parts: found.manifest.parts };
  if (base.snapshot.sha256 === found.sha256) return { ...found, parts: base.parts, base };
  throw new VaultDamageError(`is the base of another manifest, with the SHA-256 ${base.snapshot.sha256}`, {
    blob: baseName(mailboxKey, pin.id),
  });
};
