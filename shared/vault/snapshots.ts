import { lastRunIdAt, MailboxKey, type SnapshotId } from "../ids.ts";
import { type Blobs, type Created, parseJson, readJson, updateJson } from "./blobs.ts";
import { VaultDamageError } from "./damage.ts";
import { Head } from "./head.ts";
import { Manifest, manifestBytes, manifestSha256 } from "./manifest.ts";
import { headName, manifestName, parseVaultName } from "./names.ts";
import type { Sha256 } from "./records.ts";

/** A manifest with the hash of its stored bytes, which is what its child and the head pin. */
export interface PinnedManifest {
  manifest: Manifest;
  sha256: Sha256;
}

/** The keys of all mailboxes that have anything in the vault. */
export async function* listMailboxes(blobs: Blobs): AsyncGenerator<MailboxKey> {
  for await (const folder of blobs.listFolders("")) if (MailboxKey.safeParse(folder).success) yield folder;
}

/** `undefined` when the mailbox has never been backed up. */
export const readHead = (blobs: Blobs, mailboxKey: MailboxKey): Promise<Head | undefined> =>
  readJson(blobs, headName(mailboxKey), Head);

/** The mailbox's snapshots, oldest first. */
export async function* listSnapshots(blobs: Blobs, mailboxKey: MailboxKey): AsyncGenerator<SnapshotId> {
  for await (const { name } of blobs.list(`${mailboxKey}/snapshots/`)) {
    const parsed = parseVaultName(name);
    if (parsed?.kind === "manifest") yield parsed.snapshotId;
  }
}

/** The newest snapshot that had begun by a moment; `undefined` when there is none. */
export async function findSnapshotAt(
  blobs: Blobs,
  mailboxKey: MailboxKey,
  moment: string,
): Promise<SnapshotId | undefined> {
  const last = lastRunIdAt(moment);
  let found: SnapshotId | undefined;
  for await (const id of listSnapshots(blobs, mailboxKey)) {
    if (id > last) break;
    found = id;
  }
  return found;
}

/** `undefined` when there is no such snapshot; {@link VaultDamageError} when the blob is not the manifest it is named for. */
export async function readManifest(
  blobs: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): Promise<PinnedManifest | undefined> {
  const blob = manifestName(mailboxKey, snapshotId);
  const found = await blobs.readWhole(blob);
  if (found === undefined) return undefined;

  const manifest = parseJson(blob, found.body, Manifest);
  if (manifest.mailboxKey !== mailboxKey || manifest.id !== snapshotId)
    throw new VaultDamageError(`holds the manifest of ${manifest.mailboxKey}, ${manifest.id}`, { blob });
  return { manifest, sha256: manifestSha256(found.body) };
}

/** Writes the manifest once. When it exists already, what is stored is read back and yielded instead. */
export async function writeManifest(blobs: Blobs, manifest: Manifest): Promise<PinnedManifest & { outcome: Created }> {
  const name = manifestName(manifest.mailboxKey, manifest.id);
  const bytes = manifestBytes(Manifest.parse(manifest));
  const outcome = await blobs.create(name, bytes, { contentType: "application/json" });
  if (outcome === "created") return { manifest, sha256: manifestSha256(bytes), outcome };

  const stored = await readManifest(blobs, manifest.mailboxKey, manifest.id);
  if (stored === undefined) throw new Error(`${name}: there, and then not there`);
  return { ...stored, outcome };
}

/**
 * Changes the head under its ETag and yields what is then stored. `newest` and `checkedAt` never go back, so a run that
 * commits late, or twice, cannot hide a newer one.
 */
export const moveHead = (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  change: (current: Head | undefined) => Head,
): Promise<Head> =>
  updateJson(blobs, headName(mailboxKey), Head, (current) => {
    const next = change(current);
    if (current === undefined) return next;
    const newest = (next.newest?.id ?? "") < (current.newest?.id ?? "") ? current.newest : next.newest;
    const checkedAt = Date.parse(next.checkedAt) < Date.parse(current.checkedAt) ? current.checkedAt : next.checkedAt;
    return { ...next, newest, checkedAt };
  });

/**
 * The snapshot and its ancestors down to the newest base, newest first: what a reader folds. Each parent's hash is
 * checked against the one its child pins; a break is a {@link VaultDamageError}.
 */
export async function* walkToBase(
  blobs: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): AsyncGenerator<PinnedManifest> {
  let next: { id: SnapshotId; sha256?: Sha256 } | null = { id: snapshotId };
  while (next !== null) {
    const blob = manifestName(mailboxKey, next.id);
    const found: PinnedManifest | undefined = await readManifest(blobs, mailboxKey, next.id);
    if (found === undefined) throw new VaultDamageError("the manifest is missing", { blob });
    if (next.sha256 !== undefined && next.sha256 !== found.sha256)
      throw new VaultDamageError(`is not the manifest its child names: ${found.sha256}`, { blob });
    yield found;
    next = found.manifest.base ? null : found.manifest.parent;
  }
}
