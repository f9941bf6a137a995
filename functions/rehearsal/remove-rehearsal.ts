import { listFolders, removeFolder } from "../../shared/graph/folders.ts";
import type { GraphClient } from "../../shared/graph/graph-client.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findFolderMap } from "../restore/restore-state.ts";
import { TOP } from "./rehearsal-plan.ts";
import { forgetOpenRehearsal, type OpenRehearsal } from "./rehearsal-state.ts";

/**
 * Removes the folder that a rehearsal made in its mailbox, if it is there, and forgets that it may be. A folder is the
 * rehearsal's when it lies at the top, bears the very name that was noted before it was made, and has the id under which it
 * was made, as far as that was noted; no other is touched.
 */
export const removeRehearsal = async (
  { graph, work, state }: { readonly graph: GraphClient; readonly work: Blobs; readonly state: Blobs },
  { rehearsalId, restoreId, mailbox, folderName }: OpenRehearsal,
): Promise<void> => {
  const madeAs = (await findFolderMap(work, restoreId))?.[TOP];
  for (const { id, displayName, parentId } of await listFolders(graph, mailbox)) {
    const isOurs = parentId === undefined && displayName === folderName && (madeAs === undefined || madeAs === id);
    if (isOurs) await removeFolder(graph, mailbox, id);
  }
  await forgetOpenRehearsal(state, rehearsalId);
};
