import type { RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { findFolderMap, ledgerName, type RestoreItem, readRestoreChunk, readRestorePlan } from "../restore-state.ts";
import { type Ledgers, NO_ANSWER, openTries, type Settled, settledItems } from "../upload/ledger.ts";
import { findVersions } from "./imported-versions.ts";

/** An item of a chunk that a restore imported, or may have. */
export interface BroughtItem {
  readonly item: number;
  readonly record: RestoreItem;
  /** The live folder that it went to. */
  readonly folderId: string;
  readonly brought:
    | { readonly is: "imported"; readonly itemId: string /** As imported. */; readonly changeKey: string | undefined }
    | { readonly is: "replaced"; readonly itemId: string }
    /** The restore could not tell whether its import made an item. */
    | { readonly is: "ambiguous"; readonly code?: string; readonly lookAt?: readonly string[] }
    /** The restore ended before it looked for an import without an answer; `since`: when it was sent first. */
    | { readonly is: "unanswered"; readonly since: string };
}

/** What a restore brought, by its ledgers. */
export interface Brought {
  readonly started: string;
  readonly chunks: number;
  /** The live folder of each folder of the snapshot. */
  readonly folders: Readonly<Record<string, string>>;
  inChunk(chunk: number): Promise<BroughtItem[]>;
  /** The id of every imported item, and the version that it was imported as, chunk by chunk. */
  imported(): AsyncIterable<{ readonly itemId: string; readonly changeKey: string | undefined }>;
}

/** @throws {Error} when the restore's scratch data is gone. */
export const readBrought = async (
  { work, ledgers }: { readonly work: Blobs; readonly ledgers: Ledgers },
  restoreId: RunId,
): Promise<Brought> => {
  const plan = await readRestorePlan(work, restoreId);
  // A restore that could not create its folders imported nothing.
  const folders = (await findFolderMap(work, restoreId)) ?? {};
  const seen = await findVersions(work, restoreId);
  const versionOf = ({ itemId, changeKey }: Extract<Settled, { op: "imported" }>): string | undefined =>
    changeKey ?? seen.get(itemId);

  return {
    started: plan.started,
    chunks: plan.chunks,
    folders,
    inChunk: async (chunk) => {
      const entries = await ledgers.read(ledgerName(restoreId, chunk));
      if (entries.length === 0) return [];
      const settled = settledItems(entries);
      const tries = openTries(entries);
      const records = await readRestoreChunk(work, restoreId, plan, chunk);
      return records.flatMap((record, item): BroughtItem[] => {
        const folderId = folders[record.folderId];
        if (folderId === undefined) return [];
        const brought = broughtBy(settled.get(item), tries.get(item) ?? [], plan.started, versionOf);
        return brought === undefined ? [] : [{ item, record, folderId, brought }];
      });
    },
    imported: async function* () {
      for (let chunk = 0; chunk < plan.chunks; chunk += 1)
        for (const entry of settledItems(await ledgers.read(ledgerName(restoreId, chunk))).values())
          if (entry.op === "imported") yield { itemId: entry.itemId, changeKey: versionOf(entry) };
    },
  };
};

const broughtBy = (
  settled: Settled | undefined,
  tries: readonly { readonly at?: string | undefined }[],
  started: string,
  versionOf: (entry: Extract<Settled, { op: "imported" }>) => string | undefined,
): BroughtItem["brought"] | undefined => {
  switch (settled?.op) {
    case "imported":
      return { is: "imported", itemId: settled.itemId, changeKey: versionOf(settled) };
    case "replaced":
      return { is: "replaced", itemId: settled.itemId };
    case "ambiguous": {
      const { code, lookAt } = settled;
      return { is: "ambiguous", ...(code !== undefined && { code }), ...(lookAt !== undefined && { lookAt }) };
    }
    case "failed":
      if (settled.code !== NO_ANSWER) return undefined;
  }
  return tries.length === 0 ? undefined : { is: "unanswered", since: tries[0]?.at ?? started };
};
