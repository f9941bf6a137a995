import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { finished, pipeline } from "node:stream/promises";
import { csvOf } from "../shared/http/csv.ts";
import type { Blobs } from "../shared/storage/blobs.ts";
import { VaultDamageError } from "../shared/vault/damage.ts";
import { foldSnapshot } from "../shared/vault/fold.ts";
import { readFolders } from "../shared/vault/folders.ts";
import { itemTime } from "../shared/vault/item-filter.ts";
import { readItem } from "../shared/vault/pack-reader.ts";
import type { PutRecord } from "../shared/vault/records.ts";
import { findFolder, findMailbox, findSnapshot } from "./find.ts";
import type { Printer } from "./printer.ts";
import { UsageError } from "./usage.ts";

const COLUMNS = ["file", "folder", "time", "from", "subject", "class", "bytes", "sha256", "id"] as const;

/**
 * Writes every item of a snapshot, or of one folder of it, as a file into a new folder, with a listing of the files. A
 * damaged item is reported and left out of the listing; the export goes on.
 */
export const exportItems = async (
  vault: Blobs,
  { warn }: Printer,
  { mailbox, snapshot, folder, out }: { mailbox: string; snapshot: string; folder: string | undefined; out: string },
): Promise<number> => {
  const key = await findMailbox(vault, mailbox);
  const manifest = await findSnapshot(vault, key, snapshot);
  const only = folder === undefined ? undefined : (await findFolder(vault, manifest, folder)).id;
  const paths = new Map((await readFolders(vault, key, manifest.id)).folders.map(({ id, path }) => [id, path]));
  await openFolder(out);

  const listing = createWriteStream(join(out, "listing.csv"), { flags: "wx" });
  listing.write(csvOf([COLUMNS]));
  const counts = { files: 0, damaged: 0 };
  for await (const item of foldSnapshot(vault, key, manifest.id, ({ folderId }) => (only ?? folderId) === folderId)) {
    const file = `${String(counts.files + 1).padStart(7, "0")}.fts`;
    try {
      await pipeline(readItem(vault, item), createWriteStream(join(out, file), { flags: "wx" }));
      listing.write(csvOf([row(file, paths.get(item.folderId), item)]));
      counts.files += 1;
    } catch (error) {
      if (!(error instanceof VaultDamageError)) throw error;
      await rm(join(out, file));
      warn(error.message);
      counts.damaged += 1;
    }
  }
  listing.end();
  await finished(listing);
  warn(`${counts.files} items in ${out}${counts.damaged === 0 ? "" : `, and ${counts.damaged} damaged`}`);
  return counts.damaged === 0 ? 0 : 1;
};

const openFolder = async (out: string): Promise<void> => {
  await mkdir(out, { recursive: true });
  if ((await readdir(out)).length > 0) throw new UsageError(`${out} is not empty: nothing is overwritten`);
};

const row = (file: string, folder: string | undefined, item: PutRecord) => [
  file,
  folder ?? item.folderId,
  itemTime(item),
  item.from,
  item.subject,
  item.type,
  item.rawBytes,
  item.sha256,
  item.id,
];
