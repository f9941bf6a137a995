import * as z from "zod";
import { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs, Created } from "../storage/blobs.ts";
import { VaultDamageError } from "./damage.ts";
import { PartRef } from "./manifest.ts";
import { merkleRoot } from "./merkle.ts";
import { baseName, belongsTo } from "./names.ts";
import { Sha256 } from "./records.ts";
import { parseSummed, summedJson } from "./summed-json.ts";

/**
 * A base beside a snapshot: parts with everything that is live in the snapshot, so that a reader needs no older one. It
 * holds the hashes of its manifest and of its parts, so that all of it can be checked.
 */
export const Base = z
  .object({
    v: z.literal(1),
    mailboxKey: MailboxKey,
    snapshot: z.object({ id: SnapshotId, sha256: Sha256 }),
    parts: z.array(PartRef),
    root: Sha256,
  })
  .refine(
    (base) => base.parts.every((part) => belongsTo(base.mailboxKey, part.name)),
    "a part lies outside the mailbox",
  )
  .refine((base) => base.root === merkleRoot(base.parts.map((part) => part.sha256)), "root does not match the parts");
export type Base = z.infer<typeof Base>;

/** The bytes of a base: canonical JSON with its own checksum. */
export const baseBytes = (base: Base): Buffer => summedJson(base);

/** `undefined` when the snapshot has no base. @throws {VaultDamageError} when the blob is not the base of its name. */
export const readBase = async (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): Promise<Base | undefined> => {
  const blob = baseName(mailboxKey, snapshotId);
  const found = await blobs.readWhole(blob);
  if (found === undefined) return undefined;

  const base = parseSummed(blob, found.body, Base);
  if (base.mailboxKey !== mailboxKey || base.snapshot.id !== snapshotId)
    throw new VaultDamageError(`holds the base of ${base.mailboxKey}, ${base.snapshot.id}`, { blob });
  return base;
};

/** Writes the base once. When one exists already, it is kept, and the parts of this one are never read. */
export const writeBase = (blobs: Blobs, base: Base): Promise<Created> =>
  blobs.create(baseName(base.mailboxKey, base.snapshot.id), baseBytes(Base.parse(base)), {
    contentType: "application/json",
  });
