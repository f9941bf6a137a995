import { createHash } from "node:crypto";
import type { RunId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { openUpload } from "../../shared/storage/block-upload.ts";
import { INVENTORY_NAME } from "./package-names.ts";
import { readInventoryPage } from "./personal-data-state.ts";

/**
 * Writes the inventory from its pages into the package, and returns its SHA-256. A blob of its name is replaced: anyone
 * with Microsoft's write URL could have written it.
 */
export const writeInventory = async (
  { files, work }: { readonly files: Blobs; readonly work: Blobs },
  packageId: { readonly exportId: RunId; readonly attempt: number },
  lastPage: number,
): Promise<string> => {
  await files.remove(INVENTORY_NAME);
  const upload = openUpload(files, INVENTORY_NAME, { contentType: "application/jsonl" });
  const sha256 = createHash("sha256");
  for (let page = 0; page <= lastPage; page += 1) {
    const listed = await readInventoryPage(work, packageId, page);
    const lines = Buffer.from(listed.files.map((file) => `${JSON.stringify(file)}\n`).join(""));
    sha256.update(lines);
    await upload.append(lines);
  }
  await upload.commit();
  return sha256.digest("hex");
};
