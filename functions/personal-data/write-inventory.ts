import { createHash } from "node:crypto";
import type { RunId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { openUpload } from "../../shared/storage/block-upload.ts";
import { INVENTORY_NAME } from "./package-names.ts";
import { readInventoryPage } from "./personal-data-state.ts";

/**
 * Writes the inventory from its pages into the package, and yields its SHA-256. What lies there already is replaced: whoever
 * has the URL that Microsoft writes with could have put it there.
 */
export const writeInventory = async (
  { files, work }: { readonly files: Blobs; readonly work: Blobs },
  of: { readonly exportId: RunId; readonly attempt: number },
  lastPage: number,
): Promise<string> => {
  await files.remove(INVENTORY_NAME);
  const upload = openUpload(files, INVENTORY_NAME, { contentType: "application/jsonl" });
  const sha256 = createHash("sha256");
  for (let page = 0; page <= lastPage; page += 1) {
    const listed = await readInventoryPage(work, of, page);
    const lines = Buffer.from(listed.files.map((file) => `${JSON.stringify(file)}\n`).join(""));
    sha256.update(lines);
    await upload.append(lines);
  }
  await upload.commit();
  return sha256.digest("hex");
};
