import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson } from "../../../shared/storage/blobs.ts";
import { versionsName } from "../restore-state.ts";

/** The versions of imported items whose import's answer did not tell one, as the comparison at the end saw them. */
const Versions = z.array(z.tuple([z.string(), z.string()]));
type Versions = z.output<typeof Versions>;

/**
 * Nothing is kept where every answer told a version, as the documentation has it. Run twice, the first versions stand.
 */
export const keepVersions = async (work: Blobs, restoreId: RunId, versions: Versions): Promise<void> => {
  if (versions.length > 0) await work.create(versionsName(restoreId), jsonBytes(Versions.parse(versions)));
};

export const findVersions = async (work: Blobs, restoreId: RunId): Promise<ReadonlyMap<string, string>> =>
  new Map(await readJson(work, versionsName(restoreId), Versions));
