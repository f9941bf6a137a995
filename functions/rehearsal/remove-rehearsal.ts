import { listFolders, removeFolder } from "../../shared/graph/folders.ts";
import type { GraphClient } from "../../shared/graph/graph-client.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { TOP_FOLDER_ID } from "../restore/plan/target-folders.ts";
import { findFolderMap } from "../restore/restore-state.ts";
import { forgetOpenRehearsal, type OpenRehearsal } from "./rehearsal-state.ts";

/**
 * Removes the folder that a rehearsal made in its mailbox, if it exists, and then the note of it. It touches only a
 * folder at the top that has exactly the name that was noted before it was made and, where that was noted, the id that
 * it got.
 */
export const removeRehearsal = async (
  { graph, work, state }: { readonly graph: GraphClient; readonly work: Blobs; readonly state: Blobs },
  { rehearsalId, restoreId, mailbox, folderName }: OpenRehearsal,
): Promise<void> => {
  const createdId = (await findFolderMap(work, restoreId))?.[TOP_FOLDER_ID];
  for (const { id, displayName, parentId } of await listFolders(graph, mailbox)) {
    const isOurs =
      parentId === undefined && displayName === folderName && (createdId === undefined || createdId === id);
    if (isOurs) await removeFolder(graph, mailbox, id);
  }
  await forgetOpenRehearsal(state, rehearsalId);
};
