import type { LiveFolder } from "../../../../shared/graph/folders.ts";
import type { SnapshotFolder } from "../../../../shared/vault/records.ts";

/** A folder at `path`, as a snapshot and a live mailbox know it; its id is `prefix` and its path. */
export const aFolderAt = (
  path: string,
  { prefix = "old", ...more }: Partial<LiveFolder> & { prefix?: string } = {},
): LiveFolder & SnapshotFolder => {
  const names = path.split("/");
  const parent = names.slice(0, -1).join("/");
  return {
    id: `${prefix}:${path}`,
    displayName: names.at(-1) ?? "",
    path,
    type: "IPF.Note",
    itemCount: 1,
    ...(parent === "" ? {} : { parentId: `${prefix}:${parent}` }),
    ...more,
  };
};
