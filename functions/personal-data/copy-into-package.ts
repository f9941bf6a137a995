import type { Blobs } from "../../shared/storage/blobs.ts";
import { openUpload } from "../../shared/storage/block-upload.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { MAILBOX_PREFIX } from "./package-names.ts";

/**
 * Copies one blob of the vault to its own name below the package's mailbox folder, and returns its number of bytes. It
 * streams the blob: a copy by the storage itself would need a second URL that is a credential.
 *
 * Run twice, even at the same time, one copy becomes the blob: blobs of the vault never change.
 */
export const copyIntoPackage = async (vault: Blobs, target: Blobs, name: string): Promise<number> => {
  const source = await vault.info(name);
  const content = source && (await vault.read(name));
  if (source === undefined || content === undefined)
    throw new VaultDamageError("the snapshot names it, and it is missing", { blob: name });
  const copyName = `${MAILBOX_PREFIX}${name}`;
  if ((await target.info(copyName))?.bytes === source.bytes) return source.bytes;
  const upload = openUpload(target, copyName);
  for await (const piece of content) await upload.append(piece);
  await upload.commit();
  return source.bytes;
};
