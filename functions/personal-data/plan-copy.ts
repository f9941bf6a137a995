import { randomUUID } from "node:crypto";
import type { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { baseName, manifestName } from "../../shared/vault/names.ts";
import { findNewest } from "../../shared/vault/newest.ts";
import { walkToBase } from "../../shared/vault/snapshots.ts";
import { type CopyPlan, keepCopyPlan, keepCopyPlanPage, NAMES_PER_PAGE } from "./personal-data-state.ts";

/** Plans to copy the newest snapshots of mailboxes: keeps the names of all their blobs, in pages. */
export const planCopy = async (
  { vault, work }: { readonly vault: Blobs; readonly work: Blobs },
  packageId: { readonly exportId: RunId; readonly attempt: number },
  mailboxes: readonly MailboxKey[],
): Promise<CopyPlan> => {
  const generation = randomUUID();
  let blobs = 0;
  let page: string[] = [];
  const keepPage = async (): Promise<void> => {
    await keepCopyPlanPage(work, packageId, generation, Math.ceil(blobs / NAMES_PER_PAGE) - 1, page);
    page = [];
  };
  for (const key of mailboxes) {
    for await (const name of blobsOfNewest(vault, key)) {
      page.push(name);
      blobs += 1;
      if (page.length === NAMES_PER_PAGE) await keepPage();
    }
  }
  if (page.length > 0) await keepPage();
  return keepCopyPlan(work, packageId, { generation, blobs });
};

/** The manifests and parts of the newest snapshot down to its base, and the packs of its live items. */
async function* blobsOfNewest(vault: Blobs, key: MailboxKey): AsyncGenerator<string> {
  const newest = (await findNewest(vault, key)).whole?.manifest;
  if (newest === undefined) return;
  for await (const { manifest, base, parts } of walkToBase(vault, key, newest.id)) {
    yield manifestName(key, manifest.id);
    if (base !== undefined) yield baseName(key, manifest.id);
    for (const { name } of parts) yield name;
  }
  const packs = new Set<string>();
  for await (const { pack } of foldSnapshot(vault, key, newest.id)) {
    if (packs.has(pack)) continue;
    packs.add(pack);
    yield pack;
  }
}
