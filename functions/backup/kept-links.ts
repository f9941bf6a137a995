import * as z from "zod";
import { type MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, readJson, updateJson } from "../../shared/storage/blobs.ts";

/**
 * Delta links that are newer than those of a snapshot, for the run that follows it. A run that finds no change makes no
 * snapshot: where Graph had refused old links, each later run would list those folders again.
 */
const KeptLinks = z.object({
  snapshot: SnapshotId,
  foldersDeltaLink: z.string().optional(),
  /** Folders whose link is not that of the snapshot; without one, the next run lists the folder. */
  folders: z.array(z.object({ id: z.string(), deltaLink: z.string().optional() })),
});
export type KeptLinks = z.output<typeof KeptLinks>;

const linksName = (key: MailboxKey): string => `links/${key}.json`;

/** The links that were kept for what follows a snapshot. */
export const readKeptLinks = async (
  state: Blobs,
  key: MailboxKey,
  snapshot: SnapshotId,
): Promise<KeptLinks | undefined> => {
  const kept = await readJson(state, linksName(key), KeptLinks);
  return kept?.snapshot === snapshot ? kept : undefined;
};

/** Keeps links in the place of all that were kept before. */
export const keepLinks = async (state: Blobs, key: MailboxKey, links: KeptLinks): Promise<void> => {
  await updateJson(state, linksName(key), KeptLinks, () => links);
};
