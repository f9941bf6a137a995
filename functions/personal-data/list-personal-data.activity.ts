import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { hashFiles } from "./hash-files.ts";
import { packageName } from "./package-names.ts";
import type { Packages } from "./packages.ts";
import { listPersonalData } from "./personal-data.contract.ts";
import { findInventoryPage, keepInventoryPage, readInventoryPage } from "./personal-data-state.ts";
import { writeInventory } from "./write-inventory.ts";

/**
 * Hashes a page of a package's files, as many as time allows, and writes the inventory after the last page. Pages are
 * kept as scratch data, where each page begins at the end of the one before, so that names stay out of the history.
 *
 * Run twice, the first page that is kept stands, and the same inventory is written again.
 */
export const listPersonalDataActivity = (deps: {
  readonly packages: Packages;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implement(listPersonalData, async ({ exportId, attempt, page }) => {
    const { packages, work, laneBudgetMs } = deps;
    const untilMs = Date.now() + laneBudgetMs;
    const packageId = { exportId, attempt };
    const files = packages.open(packageName(exportId, attempt));
    const before = page === 0 ? undefined : (await readInventoryPage(work, packageId, page - 1)).files.at(-1)?.name;
    const listed =
      (await findInventoryPage(work, packageId, page)) ??
      (await keepInventoryPage(work, packageId, page, await hashFiles(files, before, untilMs)));
    const bytes = listed.files.reduce((sum, file) => sum + file.bytes, 0);
    const counts = { files: listed.files.length, bytes };
    if (!listed.last) return counts;
    return { ...counts, inventorySha256: await writeInventory({ files, work }, packageId, page) };
  });
