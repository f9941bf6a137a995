import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, readJson, updateJson } from "../../../shared/storage/blobs.ts";
import { versionsName } from "../restore-state.ts";

/** The versions of imported items whose import's answer did not tell one, as the comparison at the end saw them. */
const Versions = z.array(z.tuple([z.string(), z.string()]));
type Versions = z.output<typeof Versions>;

/**
 * Nothing is kept where every answer told a version, as the documentation has it. The first version of an item stands:
 * a restore that was resumed adds those of what it imported since. Run twice, nothing changes.
 */
export const keepVersions = async (work: Blobs, restoreId: RunId, versions: Versions): Promise<void> => {
  if (versions.length === 0) return;
  await updateJson(work, versionsName(restoreId), Versions, (current = []) => [
    ...new Map([...versions, ...current]).entries(),
  ]);
};

export const findVersions = async (work: Blobs, restoreId: RunId): Promise<ReadonlyMap<string, string>> =>
  new Map(await readJson(work, versionsName(restoreId), Versions));
