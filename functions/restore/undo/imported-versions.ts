import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import type { LiveItem } from "../../../shared/graph/items.ts";
import { type Blobs, jsonBytes, readJson } from "../../../shared/storage/blobs.ts";
import { versionsName } from "../restore-state.ts";
import type { Settled } from "../upload/ledger.ts";

const Versions = z.array(z.tuple([z.string(), z.string()]));

/** The versions of imported items whose import's answer did not tell one, as the comparison at the end saw them. */
export interface SeenVersions {
  seen(live: Pick<LiveItem, "id" | "changeKey">): void;
  /** Run twice, the first versions stand. */
  keep(): Promise<void>;
}

/** Nothing is kept where every answer told a version, as the documentation has it. */
export const seenVersions = (
  work: Blobs,
  restoreId: RunId,
  ledgers: ReadonlyMap<string, ReadonlyMap<number, Settled>>,
): SeenVersions => {
  const unknown = new Set<string>();
  for (const settled of ledgers.values())
    for (const entry of settled.values())
      if (entry.op === "imported" && entry.changeKey === undefined) unknown.add(entry.itemId);
  const versions: [string, string][] = [];
  return {
    seen: ({ id, changeKey }) => {
      if (changeKey !== "" && unknown.has(id)) versions.push([id, changeKey]);
    },
    keep: async () => {
      if (versions.length > 0) await work.create(versionsName(restoreId), jsonBytes(Versions.parse(versions)));
    },
  };
};

export const findVersions = async (work: Blobs, restoreId: RunId): Promise<ReadonlyMap<string, string>> =>
  new Map(await readJson(work, versionsName(restoreId), Versions));
