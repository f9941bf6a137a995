import { createHash } from "node:crypto";
import { mapBounded } from "../../shared/bounded.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { INVENTORY_NAME } from "./package-names.ts";
import type { InventoryPage, PackageFile } from "./personal-data-state.ts";

/** Most files of a page, which is held in memory. */
const FILES_PER_PAGE = 1_000;

/** Files read at the same time. */
const WIDTH = 4;

/** Hashes the files after a name, in the order of names, until the page is full or time is up; at least one. */
export const hashFiles = async (files: Blobs, after: string | undefined, untilMs: number): Promise<InventoryPage> => {
  const hashed: PackageFile[] = [];
  let batch: string[] = [];
  const hashBatch = async (): Promise<void> => {
    hashed.push(...(await mapBounded(batch, WIDTH, (name) => hashFile(files, name))));
    batch = [];
  };
  for await (const { name } of files.list("")) {
    if (name === INVENTORY_NAME || (after !== undefined && name <= after)) continue;
    if (batch.length === WIDTH) {
      await hashBatch();
      if (hashed.length >= FILES_PER_PAGE || Date.now() >= untilMs) return { files: hashed, last: false };
    }
    batch.push(name);
  }
  await hashBatch();
  return { files: hashed, last: true };
};

const hashFile = async (files: Blobs, name: string): Promise<PackageFile> => {
  const content = await files.read(name);
  if (content === undefined) throw new Error("A file of the package disappeared while it was hashed");
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let bytes = 0;
  for await (const piece of content) {
    md5.update(piece);
    sha256.update(piece);
    bytes += piece.length;
  }
  return { name, bytes, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
};
