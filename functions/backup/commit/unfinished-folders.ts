import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { PartRef } from "../../../shared/vault/manifest.ts";
import type { CatalogueRecord, Problem } from "../../../shared/vault/records.ts";
import { withoutRecord } from "../left-out-items.ts";
import type { FoldedFindings } from "../run-outcome.ts";
import type { PlannedItem, RunFolder } from "../run-state.ts";

/** What a snapshot holds of the folders that its run did not plan to their end. */
export interface UnfinishedFolders {
  readonly ids: ReadonlySet<string>;
  readonly problems: readonly Problem[];
  /** Items that the last snapshot could not store, and that this run did not come to: the next one asks for them. */
  readonly failed: readonly CatalogueRecord[];
}

/**
 * The folders that a run left when it had lasted its time. What was exported of them counts; what was removed from them
 * does not, as the next run begins them where this one did.
 */
export const unfinishedFolders = async (
  vault: Blobs,
  folders: readonly RunFolder[],
  { finished, parts }: Pick<FoldedFindings, "finished"> & { readonly parts: readonly PartRef[] },
  since: string,
): Promise<UnfinishedFolders> => {
  const unfinished = folders.filter(({ id }) => !finished.has(id));
  const retry = unfinished.flatMap((folder) => folder.retry);
  return {
    ids: new Set(unfinished.map(({ id }) => id)),
    problems: unfinished.map(({ id }) => ({ what: "the folder is not backed up to its end yet", folderId: id, since })),
    failed: (await withoutRecord(vault, retry, parts)).map((item) => failed(item, since)),
  };
};

const failed = ({ refused, ...facts }: PlannedItem, since: string): CatalogueRecord => ({
  v: 1,
  op: "fail",
  ...facts,
  reason: "unknown-error",
  ...(refused ?? { code: "not-asked", since }),
});
