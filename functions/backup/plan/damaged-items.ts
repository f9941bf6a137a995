import type { Blobs } from "../../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import type { PackName } from "../../../shared/vault/names.ts";
import { ItemFacts } from "../../../shared/vault/records.ts";

/** The live items of a snapshot that lie in damaged packs. */
export const damagedItems = async (
  vault: Blobs,
  { mailboxKey, id }: Manifest,
  damagedPacks: readonly PackName[],
): Promise<ItemFacts[]> => {
  if (damagedPacks.length === 0) return [];
  const damaged = new Set(damagedPacks);
  const items: ItemFacts[] = [];
  for await (const record of foldSnapshot(vault, mailboxKey, id, ({ pack }) => damaged.has(pack)))
    items.push(ItemFacts.parse(record));
  return items;
};
