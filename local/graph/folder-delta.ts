import { deltaLink, readDeltaToken } from "./delta-token.ts";
import { folderView } from "./folders.ts";
import { allowOptions, preferredPageSize, project } from "./odata.ts";
import { folderOf } from "./places.ts";
import { sparseFolder } from "./sparse-views.ts";
import type { FolderState } from "./state/folder-state.ts";
import { contextUrl, type MailboxCall, type Reply } from "./world.ts";

interface FolderChange {
  readonly version: number;
  readonly folder: FolderState;
  readonly removed: boolean;
}

/**
 * GET .../folders/delta (all folders) and .../folders/{folder}/childFolders/delta (its children).
 *
 * @doc Options, links and `@removed`. @guess The whole tree belongs to the first, and a changed item count is a change.
 */
export const folderDelta = (call: MailboxCall): Reply => {
  const { query } = call.request;
  const { state } = call.mailbox;
  allowOptions(query, ["$select", "$skiptoken", "$deltatoken"]);
  const parent = call.params["folder"] === undefined ? undefined : folderOf(call, call.params["folder"]);
  const scope = `${call.mailbox.id} folders ${parent?.key ?? ""}`;
  const token = readDeltaToken(call, scope, state.deltaGeneration());
  const from = token?.position.phase === "changes" ? token.position.from : -1;
  const began = (token?.position.phase === "changes" ? token.position.began : undefined) ?? from;
  const select = token?.select ?? query.get("$select") ?? undefined;
  const size = preferredPageSize(call.request.header("prefer")) ?? token?.size ?? 10;

  const changes = changesSince(call, from, parent).filter((change) => token !== undefined || !change.removed);
  const page = changes.slice(0, endOfPage(changes, size));
  const isLast = page.length === changes.length;
  const position = { phase: "changes" as const, from: isLast ? state.version() : (page.at(-1)?.version ?? from) };
  return {
    status: 200,
    json: {
      "@odata.context": contextUrl(call, "Collection(mailboxFolder)"),
      value: page.map((change) => project(changeView(call, change, began), select?.split(","))),
      ...deltaLink(
        call,
        {
          scope,
          generation: state.deltaGeneration(),
          page: 0,
          size,
          position: isLast ? position : { ...position, began },
          ...(select !== undefined && { select }),
        },
        isLast,
      ),
    },
  };
};

const changeView = (call: MailboxCall, { folder, removed }: FolderChange, began: number) => {
  if (removed) return { id: call.mailbox.state.ids.folder(folder.tag), "@removed": { reason: "deleted" } };
  const view = folderView(call, folder);
  const isWhole = call.world.settings().behaviours.deltaFoldersShow === "all" || folder.createdVersion > began;
  return isWhole ? view : sparseFolder(view, changedSince(folder, began));
};

const changedSince = ({ propertyVersions }: FolderState, version: number): ReadonlySet<string> =>
  new Set([...propertyVersions].filter(([, changed]) => changed > version).map(([property]) => property));

/** Changes of one version stay together: the next page starts after a version. */
const endOfPage = (changes: readonly FolderChange[], size: number): number => {
  let end = Math.min(size, changes.length);
  while (end < changes.length && changes[end]?.version === changes[end - 1]?.version) end += 1;
  return end;
};

const changesSince = (call: MailboxCall, from: number, parent: FolderState | undefined): FolderChange[] => {
  const { folders, removedFolders } = call.mailbox.state;
  const live = [...folders.values()].map((folder) => ({ folder, version: folder.version, removed: false }));
  const gone = removedFolders.map(({ folder, version }) => ({ folder, version, removed: true }));
  return [...live, ...gone]
    .filter(({ version, folder }) => version > from && (parent === undefined || folder.parentKey === parent.key))
    .sort((a, b) => a.version - b.version);
};
