import { ROLES } from "./auth.ts";
import { exchangeSettings, getUser, listMembers, listUsers, userPurpose } from "./directory.ts";
import { exportItems } from "./export-items.ts";
import { folderDelta } from "./folder-delta.ts";
import { createFolder, deleteFolder, getFolder, listChildFolders, listFolders, renameFolder } from "./folders.ts";
import { createImportSession } from "./import-session.ts";
import { itemDelta } from "./item-delta.ts";
import { deleteItem, getItem, listItems } from "./items.ts";
import { exportPersonalData, getOperation } from "./personal-data/endpoints.ts";
import { translateExchangeIds } from "./translate-ids.ts";
import type { DirectoryCall, MailboxCall, Reply } from "./world.ts";

interface RouteBase {
  /** The endpoint's name in counters and fault rules. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Any one of these opens it. */
  readonly roles: readonly string[];
  /** Any one of these opens it to a signed-in user; none does where they are left out. */
  readonly delegatedRoles?: readonly string[];
}

export type Route = RouteBase &
  (
    | { readonly area: "directory"; readonly handle: (call: DirectoryCall) => Reply | Promise<Reply> }
    | { readonly area: "mailbox"; readonly handle: (call: MailboxCall) => Reply | Promise<Reply> }
  );

const directory = (
  name: string,
  path: string,
  roles: readonly string[],
  handle: (call: DirectoryCall) => Reply,
): Route => ({ name, method: "GET", path, roles, area: "directory", handle });

const mailbox = (
  name: string,
  method: string,
  path: string,
  roles: readonly string[],
  handle: (call: MailboxCall) => Reply | Promise<Reply>,
): Route => ({ name, method, path: `/admin/exchange/mailboxes/{mailbox}${path}`, roles, area: "mailbox", handle });

/** Every endpoint below `/v1.0` and `/beta`, but for `$batch`; the first that fits serves. */
export const ROUTES: readonly Route[] = [
  directory("users", "/users", ROLES.readUsers, listUsers),
  directory("user", "/users/{user}", ROLES.readUsers, getUser),
  directory("exchange-settings", "/users/{user}/settings/exchange", ROLES.readUsers, exchangeSettings),
  directory("user-purpose", "/users/{user}/mailboxSettings/userPurpose", ROLES.readSettings, userPurpose),
  directory("members", "/groups/{group}/transitiveMembers/microsoft.graph.user", ROLES.readMembers, listMembers),
  {
    name: "translate-ids",
    method: "POST",
    path: "/users/{user}/translateExchangeIds",
    roles: ROLES.readUsers,
    delegatedRoles: ROLES.translateIds,
    area: "directory",
    handle: translateExchangeIds,
  },
  {
    name: "export-personal-data",
    method: "POST",
    path: "/users/{user}/exportPersonalData",
    roles: ROLES.exportPersonalData,
    area: "directory",
    handle: exportPersonalData,
  },
  directory("data-policy-operation", "/dataPolicyOperations/{operation}", ROLES.exportPersonalData, getOperation),

  mailbox("folders", "GET", "/folders", ROLES.readFolders, listFolders),
  mailbox("folders-delta", "GET", "/folders/delta", ROLES.readFolders, folderDelta),
  mailbox("folder", "GET", "/folders/{folder}", ROLES.readFolders, getFolder),
  mailbox("child-folders", "GET", "/folders/{folder}/childFolders", ROLES.readFolders, listChildFolders),
  mailbox("child-folders-delta", "GET", "/folders/{folder}/childFolders/delta", ROLES.readFolders, folderDelta),
  mailbox("folder", "GET", "/folders/{parent}/childFolders/{folder}", ROLES.readFolders, getFolder),
  mailbox("create-folder", "POST", "/folders", ROLES.writeFolders, createFolder),
  mailbox("create-folder", "POST", "/folders/{folder}/childFolders", ROLES.writeFolders, createFolder),
  mailbox("rename-folder", "PATCH", "/folders/{folder}", ROLES.writeFolders, renameFolder),
  mailbox("rename-folder", "PATCH", "/folders/{parent}/childFolders/{folder}", ROLES.writeFolders, renameFolder),
  mailbox("delete-folder", "DELETE", "/folders/{folder}/$ref", ROLES.writeFolders, deleteFolder),
  mailbox("delete-folder", "DELETE", "/folders/{parent}/childFolders/{folder}/$ref", ROLES.writeFolders, deleteFolder),

  mailbox("items", "GET", "/folders/{folder}/items", ROLES.readItems, listItems),
  mailbox("items-delta", "GET", "/folders/{folder}/items/delta", ROLES.readItems, itemDelta),
  mailbox("item", "GET", "/folders/{folder}/items/{item}", ROLES.readItems, getItem),
  mailbox("delete-item", "DELETE", "/folders/{folder}/items/{item}", ROLES.deleteItems, deleteItem),

  mailbox("export-items", "POST", "/exportItems", ROLES.exportItems, exportItems),
  mailbox("import-session", "POST", "/createImportSession", ROLES.importItems, createImportSession),
];

interface Compiled {
  readonly route: Route;
  readonly parts: readonly string[];
}

const compiled: readonly Compiled[] = ROUTES.map((route) => ({ route, parts: route.path.slice(1).split("/") }));

/** Finds a route by method and path; fixed parts match in any letter case. `methods` has what the path allows. */
export const findRoute = (method: string, path: string) => {
  const segments = path.slice(1).split("/");
  const fitting = compiled.filter(({ parts }) => matches(parts, segments));
  const found = fitting.find(({ route }) => route.method === method);
  return {
    methods: fitting.map(({ route }) => route.method),
    ...(found && { route: found.route, params: paramsOf(found.parts, segments) }),
  };
};

const matches = (parts: readonly string[], segments: readonly string[]) =>
  parts.length === segments.length &&
  parts.every((part, i) => part.startsWith("{") || part.toLowerCase() === segments[i]?.toLowerCase());

const paramsOf = (parts: readonly string[], segments: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    parts.flatMap((part, i) =>
      part.startsWith("{") ? [[part.slice(1, -1), decodeURIComponent(segments[i] ?? "")]] : [],
    ),
  );
