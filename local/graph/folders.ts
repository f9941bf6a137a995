import { randomUUID } from "node:crypto";
import { z } from "zod";
import { badRequest, GraphFailure } from "./errors.ts";
import { type ExtendedProperty, folderProperties } from "./extended-properties.ts";
import { changeFolder } from "./mailbox-acts.ts";
import { allowOptions, compares, numberOption, parseFilter, project, selection } from "./odata.ts";
import { folderOf } from "./places.ts";
import { type FolderState, itemCount } from "./state/folder-state.ts";
import { ROOT_TAG } from "./state/mailbox-state.ts";
import { contextUrl, type MailboxCall, paramOf, type Reply, urlWith } from "./world.ts";

const NewFolder = z.object({ displayName: z.string().min(1), type: z.string().min(1) });
const FolderPatch = z.object({ displayName: z.string().min(1).optional(), type: z.undefined().optional() });

const LIST_OPTIONS = ["$select", "$filter", "$top", "$skip", "$orderby", "$count", "$expand"];
const FILTER_FIELDS = ["displayName", "type", "wellKnownName", "parentFolderId", "totalItemCount", "childFolderCount"];

const foldersContext = (call: MailboxCall) => contextUrl(call, `admin/exchange/mailboxes/${call.mailbox.id}/folders`);

export const childrenOf = (call: MailboxCall, parentKey: string | undefined): FolderState[] =>
  [...call.mailbox.state.folders.values()].filter((folder) => folder.parentKey === parentKey);

/** A folder as every folder call shows it. */
export const folderView = (
  call: MailboxCall,
  folder: FolderState,
  extended?: readonly ExtendedProperty[],
): Record<string, unknown> => {
  const { ids, folders } = call.mailbox.state;
  const { behaviours } = call.world.settings();
  const parent = folder.parentKey === undefined ? undefined : folders.get(folder.parentKey);
  return {
    "@odata.type": "#microsoft.graph.mailboxFolder",
    id: ids.folder(folder.tag),
    displayName: folder.displayName,
    parentFolderId: ids.folder(parent?.tag ?? ROOT_TAG),
    parentMailboxUrl: `${call.request.origin}/${call.version}/admin/exchange/mailboxes/${call.mailbox.id}`,
    ...(behaviours.childFolderCounts && { childFolderCount: childrenOf(call, folder.key).length }),
    totalItemCount: itemCount(folder) + behaviours.uncountedItems,
    ...(behaviours.wellKnownNames && { wellKnownName: folder.wellKnownName ?? null }),
    type: folder.type,
    ...(extended !== undefined && extended.length > 0 && { singleValueExtendedProperties: extended }),
  };
};

/** GET .../folders: those below the root, or all (a switch). @doc `isHidden` tells those that were asked for. */
export const listFolders = (call: MailboxCall): Reply => {
  const all = call.world.settings().behaviours.rootListsDescendants;
  return folderPage(call, all ? [...call.mailbox.state.folders.values()] : childrenOf(call, undefined));
};

/** GET .../folders/{folder}/childFolders */
export const listChildFolders = (call: MailboxCall): Reply =>
  folderPage(call, childrenOf(call, folderOf(call, paramOf(call, "folder")).key));

const folderPage = (call: MailboxCall, candidates: readonly FolderState[]): Reply => {
  const { query } = call.request;
  const { behaviours } = call.world.settings();
  allowOptions(query, LIST_OPTIONS);
  const asksForHidden = query.get("includeHiddenFolders")?.toLowerCase() === "true";
  if (behaviours.hiddenFoldersRefused && query.has("includeHiddenFolders")) {
    throw badRequest("The query option 'includeHiddenFolders' is not supported.", "BadRequest");
  }
  const showHidden = behaviours.hiddenFoldersListed || asksForHidden;
  const extended = folderProperties(query.get("$expand"));
  const filter = parseFilter(query.get("$filter"), FILTER_FIELDS);
  const held = candidates
    .filter((folder) => showHidden || !folder.hidden)
    .filter((folder) => call.mailbox.kind !== "auxiliary" || call.mailbox.auxiliaryFolders.has(folder.key));

  const views = held.map((folder) => ({
    ...folderView(call, folder, extended?.(folder)),
    ...(asksForHidden && { isHidden: folder.hidden }),
  }));
  const matching = views.filter((view: Record<string, unknown>) =>
    filter.every(({ field, operator, value }) => compares(view[field] as string | number | null, operator, value)),
  );
  const skip = numberOption(query, "$skip") ?? 0;
  const top = Math.min(numberOption(query, "$top") ?? behaviours.defaultPageSize, behaviours.maxPageSize);
  const ordered = orderFolders(matching, query.get("$orderby"));
  const more = skip + top < ordered.length;

  return {
    status: 200,
    json: {
      "@odata.context": foldersContext(call),
      ...(query.get("$count") === "true" && { "@odata.count": ordered.length }),
      value: ordered.slice(skip, skip + top).map((view) => project(view, selection(query))),
      ...(more && { "@odata.nextLink": urlWith(call.request, { $skip: String(skip + top) }) }),
    },
  };
};

const orderFolders = (views: Record<string, unknown>[], orderBy: string | null): Record<string, unknown>[] => {
  if (orderBy === null) return views;
  const [, field = "", direction] = /^(displayName|totalItemCount)(?:\s+(asc|desc))?$/.exec(orderBy.trim()) ?? [];
  if (field === "") throw badRequest(`Invalid $orderby: ${orderBy}`, "BadRequest");
  const sign = direction === "desc" ? -1 : 1;
  return views.toSorted((a, b) => sign * String(a[field]).localeCompare(String(b[field]), "en", { numeric: true }));
};

/** GET .../folders/{folder} */
export const getFolder = (call: MailboxCall): Reply => {
  allowOptions(call.request.query, ["$select", "$expand"]);
  const folder = folderOf(call, paramOf(call, "folder"));
  const extended = folderProperties(call.request.query.get("$expand"))?.(folder);
  return oneFolder(call, 200, project(folderView(call, folder, extended), selection(call.request.query)));
};

const oneFolder = (call: MailboxCall, status: number, view: Record<string, unknown>): Reply => ({
  status,
  json: { "@odata.context": `${foldersContext(call)}/$entity`, ...view },
});

/** POST .../folders and .../folders/{folder}/childFolders. @observed Code of a duplicate name: the mail API. */
export const createFolder = async (call: MailboxCall): Promise<Reply> => {
  const { folder: parentId } = call.params;
  const parent = parentId === undefined ? undefined : folderOf(call, parentId);
  const body = NewFolder.safeParse(await call.request.json());
  if (!body.success) throw badRequest("A folder needs displayName and type.");

  const key = `new-${randomUUID()}`;
  putFolder(call, { key, ...(parent && { parentKey: parent.key }), ...body.data });
  const created = call.mailbox.state.folders.get(key);
  if (created === undefined) throw new Error("The folder was not created");
  if (parent !== undefined && call.mailbox.auxiliaryFolders.has(parent.key)) call.mailbox.auxiliaryFolders.add(key);
  return oneFolder(call, 201, folderView(call, created));
};

/** PATCH .../folders/{folder}: its name, and nothing else. */
export const renameFolder = async (call: MailboxCall): Promise<Reply> => {
  const folder = folderOf(call, paramOf(call, "folder"));
  const body = FolderPatch.safeParse(await call.request.json());
  if (!body.success) throw badRequest("Only displayName of a folder can be updated.");
  const { key, parentKey, type, displayName } = folder;
  putFolder(call, { key, ...(parentKey && { parentKey }), type, displayName: body.data.displayName ?? displayName });
  return oneFolder(call, 200, folderView(call, folder));
};

const putFolder = (
  call: MailboxCall,
  folder: { key: string; parentKey?: string; displayName: string; type: string },
) => {
  const name = folder.displayName.toLowerCase();
  const taken = childrenOf(call, folder.parentKey).some(
    (other) => other.key !== folder.key && other.displayName.toLowerCase() === name,
  );
  if (taken) throw new GraphFailure(409, "ErrorFolderExists", "A folder with the specified name already exists.");
  call.mailbox.state.commit({ op: "folder", at: call.world.now(), ...folder });
};

/** DELETE .../folders/{folder}/$ref. @guess Where it goes; the folders and items below it go with it. */
export const deleteFolder = (call: MailboxCall): Reply => {
  const folder = folderOf(call, paramOf(call, "folder"));
  if (folder.wellKnownName !== undefined) {
    throw new GraphFailure(403, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.");
  }
  const { folders } = call.mailbox.state;
  const deleted = [...folders.values()].find(({ wellKnownName }) => wellKnownName === "deleteditems");
  const goesThere = call.world.settings().behaviours.deletedFoldersGo === "deleted-items";
  if (goesThere && deleted !== undefined && !isBelow(call, folder, deleted.key))
    changeFolder(call.mailbox, call.world.now(), { folder: folder.key, parent: deleted.key });
  else call.mailbox.state.commit({ op: "folder-gone", at: call.world.now(), key: folder.key });
  return { status: 204 };
};

const isBelow = (call: MailboxCall, folder: FolderState, key: string): boolean => {
  const { parentKey } = folder;
  const parent = parentKey === undefined ? undefined : call.mailbox.state.folders.get(parentKey);
  return parentKey === key || (parent !== undefined && isBelow(call, parent, key));
};
