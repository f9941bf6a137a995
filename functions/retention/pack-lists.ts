import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, parseJson } from "../../shared/storage/blobs.ts";
import type { PartRef } from "../../shared/vault/manifest.ts";
import { belongsTo, PackName } from "../../shared/vault/names.ts";
import { readPart } from "../../shared/vault/part-reader.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

const PackList = z.object({ v: z.literal(1), packs: z.array(PackName) });

/** The parts of a manifest or base, which the root identifies. */
interface Document {
  readonly id: SnapshotId;
  readonly parts: readonly PartRef[];
  readonly root: string;
}

const prefixOf = (mailboxKey: MailboxKey): string => `packs/${mailboxKey}/`;

const listName = (mailboxKey: MailboxKey, { id, root }: Document): string =>
  `${prefixOf(mailboxKey)}${id}.${root}.json.gz`;

/**
 * The packs that the parts of a manifest or base name. Parts are immutable, so they are read once. The list is kept in
 * the state container under the root of the parts; made again, it is the same. `isNew`: this call made it.
 */
export const packsNamedBy = async (
  { vault, state }: { readonly vault: Blobs; readonly state: Blobs },
  mailboxKey: MailboxKey,
  document: Document,
): Promise<{ readonly packs: readonly PackName[]; readonly isNew: boolean }> => {
  const name = listName(mailboxKey, document);
  const kept = await state.readWhole(name);
  if (kept !== undefined) return { ...parseJson(name, await decompress(kept.body), PackList), isNew: false };

  const packs = new Set<PackName>();
  for (const part of document.parts)
    for await (const record of readPart(vault, part))
      if (record.op === "put") packs.add(record.pack).add(record.recordedIn ?? record.pack);
  const list = { v: 1, packs: [...packs].filter((pack) => belongsTo(mailboxKey, pack)) };
  await state.create(name, await compress(JSON.stringify(list)), { contentType: "application/gzip" });
  return { packs: list.packs, isNew: true };
};

/** Removes the lists of snapshots that were removed. */
export const dropPackLists = async (
  state: Blobs,
  mailboxKey: MailboxKey,
  isPresent: (id: SnapshotId) => boolean,
): Promise<void> => {
  const prefix = prefixOf(mailboxKey);
  const stale: string[] = [];
  for await (const { name } of state.list(prefix))
    if (!isPresent(name.slice(prefix.length, name.indexOf(".", prefix.length)))) stale.push(name);
  for (const name of stale) await state.remove(name);
};
