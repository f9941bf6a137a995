import type { Blobs } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import type { PackName } from "../../../shared/vault/names.ts";
import { readItem, readPackIndex } from "../../../shared/vault/pack-reader.ts";
import type { FindStored } from "../../../shared/vault/pack-writer.ts";
import type { FoldedCatalogue } from "../folded-catalogue.ts";
import { type PacksByHash, packsByHash } from "./packs-by-hash.ts";

/** Takes note of a damaged pack. */
export type NoteDamage = (damage: VaultDamageError) => Promise<void>;

/**
 * Finds bytes among those of the snapshot that a run follows: an item that was moved is exported again under its new
 * id, and need not be stored again. The bytes are read before they are trusted, so that a snapshot never leans on what
 * was lost meanwhile. Retention removes none of these packs: the newest snapshot needs them, and then the run's own.
 */
export const storedBefore = (
  vault: Blobs,
  folded: Pick<FoldedCatalogue, "hashesByPack">,
  damagedPacks: readonly PackName[] = [],
  noteDamage: NoteDamage,
): FindStored => {
  const read = async (): Promise<PacksByHash> => {
    const packs = packsByHash();
    const damaged = new Set(damagedPacks);
    for await (const [pack, hashes] of folded.hashesByPack())
      if (!damaged.has(pack)) for (const hash of hashes) packs.add(pack, hash);
    return packs;
  };
  let packs: Promise<PacksByHash> | undefined;

  return async ({ rawBytes, sha256 }) => {
    packs ??= read();
    const pack = (await packs).packOf(sha256);
    if (pack === undefined) return undefined;
    try {
      const records = await readPackIndex(vault, pack);
      if (records === undefined) throw new VaultDamageError("the pack is missing", { blob: pack });
      for (const record of records) {
        if (record.op !== "put" || record.pack !== pack || record.sha256 !== sha256) continue;
        for await (const _ of readItem(vault, record));
        const { offset, storedBytes, method } = record;
        return { pack, offset, storedBytes, method, rawBytes, sha256 };
      }
    } catch (error) {
      if (!(error instanceof VaultDamageError)) throw error;
      await noteDamage(error);
    }
    return undefined;
  };
};
