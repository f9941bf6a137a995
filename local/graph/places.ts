import { badRequest, GraphFailure, notFound } from "./errors.ts";
import type { FolderState } from "./state/folder-state.ts";
import type { ItemRecord } from "./state/records.ts";
import type { MailboxCall } from "./world.ts";

/**
 * Finds the folder that a path names by id or well-known name.
 *
 * @doc Well-known names are not for archives; what an auxiliary archive holds is answered 308 with its place.
 */
export const folderOf = (call: MailboxCall, idOrName: string, missingCode?: string): FolderState => {
  const { state } = call.mailbox;
  const named = [...state.folders.values()].find((folder) => folder.wellKnownName === idOrName.toLowerCase());
  if (named !== undefined && call.mailbox.kind !== "primary") {
    throw badRequest("Well-known folder names are not supported for archive mailboxes.");
  }
  if (named !== undefined && !call.world.settings().behaviours.wellKnownPaths) throw badRequest("Id is malformed.");
  const folder = named ?? state.folderById(idOrName);
  if (folder === undefined) throw notFound(missingCode);
  return atHome(call, folder);
};

export const itemOf = (call: MailboxCall, folderIdOrName: string, id: string): ItemRecord => {
  const folder = folderOf(call, folderIdOrName);
  const item = call.mailbox.state.itemById(id);
  if (item === undefined || item.folderKey !== folder.key) throw notFound();
  return item;
};

const atHome = (call: MailboxCall, folder: FolderState): FolderState => {
  const { kind, auxiliary, auxiliaryFolders } = call.mailbox;
  if (kind === "auxiliary" && !auxiliaryFolders.has(folder.key)) throw notFound();
  if (kind !== "archive" || auxiliary === undefined || !auxiliaryFolders.has(folder.key)) return folder;

  const query = call.request.query.size === 0 ? "" : `?${call.request.query}`;
  const path = call.request.path.replace(/(\/mailboxes\/)[^/]+/i, (_, start) => `${start}${auxiliary.id}`);
  throw new GraphFailure(308, "", "moved", {
    headers: { location: `${call.request.origin}${path}${query}`, "content-length": "0" },
    shape: "none",
  });
};
