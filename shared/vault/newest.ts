import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import { VaultDamageError } from "./damage.ts";
import type { Head } from "./head.ts";
import { headName, manifestName } from "./names.ts";
import { nameSnapshots, type PinnedManifest, readHead, readManifest } from "./snapshots.ts";

/** The newest snapshot of a mailbox, as far as manifests are whole. */
export interface Newest {
  /** `undefined` when there is none. */
  readonly whole: PinnedManifest | undefined;
  /** Why that is not the one that the head names, or that no head names it. */
  readonly damage?: VaultDamageError;
  /** The last id that a snapshot is known by, whole or not. */
  readonly lastId: SnapshotId | undefined;
}

/**
 * Finds the snapshot that the head names. Where its manifest or the head itself is lost or damaged, as after a
 * fail-over to a copy that lacks the last minutes, finds the newest one whose manifest is whole.
 */
export const findNewest = async (blobs: Blobs, mailboxKey: MailboxKey): Promise<Newest> => {
  const head = await orDamage(() => readHead(blobs, mailboxKey));
  const named = head instanceof VaultDamageError ? head : await namedBy(blobs, mailboxKey, head);
  if (!(named instanceof VaultDamageError)) return { whole: named, lastId: named.manifest.id };

  const { manifests } = await nameSnapshots(blobs, mailboxKey);
  const headId = head instanceof VaultDamageError ? undefined : head?.newest?.id;
  const lastId = [...manifests, ...(headId === undefined ? [] : [headId])].sort().at(-1);
  if (lastId === undefined) return { whole: undefined, lastId };
  for (const id of manifests.toReversed()) {
    const whole = await orDamage(() => readManifest(blobs, mailboxKey, id));
    if (whole !== undefined && !(whole instanceof VaultDamageError)) return { whole, damage: named, lastId };
  }
  return { whole: undefined, damage: named, lastId };
};

const namedBy = async (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  head: Head | undefined,
): Promise<PinnedManifest | VaultDamageError> => {
  if (!head?.newest) return new VaultDamageError("names no snapshot", { blob: headName(mailboxKey) });
  const { id, manifestSha256 } = head.newest;
  const found = await orDamage(() => readManifest(blobs, mailboxKey, id));
  if (found instanceof VaultDamageError || found?.sha256 === manifestSha256) return found;
  const problem = found === undefined ? "is missing, and the head names it" : "is not the manifest that the head names";
  return new VaultDamageError(problem, { blob: manifestName(mailboxKey, id) });
};

const orDamage = async <T>(read: () => Promise<T>): Promise<T | VaultDamageError> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof VaultDamageError) return error;
    throw error;
  }
};
