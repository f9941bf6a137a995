import type * as z from "zod";
import { exportChunks } from "../../shared/contracts/backup.ts";
import type { Blobs, Metadata } from "../../shared/vault/blobs.ts";

export type LaneResult = z.output<typeof exportChunks.output>;

/** A part carries its lane's result, so that a second delivery of the lane answers the same. Names are C# identifiers. */
const KEY = "laneresult";

export const laneMetadata = (result: LaneResult): Metadata => ({ [KEY]: JSON.stringify(result) });

/** What the lane that wrote this part answered; `undefined` when the part is not there. */
export const findLaneResult = async (vault: Blobs, part: string): Promise<LaneResult | undefined> => {
  const info = await vault.info(part);
  return info && exportChunks.output.parse(JSON.parse(info.metadata[KEY] ?? "null"));
};
