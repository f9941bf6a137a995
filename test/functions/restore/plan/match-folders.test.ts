import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchFolders } from "../../../../functions/restore/plan/match-folders.ts";
import { targetFolders, targetKeys } from "../../../../functions/restore/plan/target-folders.ts";
import type { TargetFolder } from "../../../../functions/restore/restore-state.ts";
import { type FolderResource, folderTree, type LiveFolder } from "../../../../shared/graph/folders.ts";
import type { SnapshotFolder } from "../../../../shared/vault/records.ts";
import { aFolderAt } from "./folders.ts";

test("only children of the root count as the root's", () => {
  const live = [aFolderAt("Projects", { prefix: "live" }), aFolderAt("Projects/2026", { prefix: "live" })];
  const top = aFolderAt("2026");

  expect(matchFolders([top], live).get(top.id)).toEqual({ displayName: "2026" });
  expect(matchFolders([top], [...live, aFolderAt("2026", { prefix: "live" })]).get(top.id)?.live?.id).toBe("live:2026");
});

const NAMES = ["News", "news", "NEWS", "News (2)", "2026"];
const BIN = "bin";

/** A mailbox, and what it is now: folders were renamed, moved, deleted and made, some with the names of others. */
const aPast = (draw: fc.GeneratorValue) => {
  const upTo = (max: number): number => draw(fc.nat, { max });
  const oneOf = <T>(values: readonly T[]): T => values[upTo(values.length - 1)] as T;
  const tree = (ids: readonly string[]): Map<string, FolderResource> => {
    const made = new Map<string, FolderResource>();
    for (const id of ids)
      made.set(id, { id, displayName: oneOf(NAMES), parentFolderId: oneOf(["root", ...made.keys()]) });
    return made;
  };
  const before = tree(Array.from({ length: 2 + upTo(6) }, (_, n) => `f${n}`));
  const bin: FolderResource = {
    id: BIN,
    displayName: "Deleted Items",
    parentFolderId: "root",
    wellKnownName: "deleteditems",
  };
  const since = new Map([[BIN, bin]]);
  const isOther = upTo(4) === 0;
  for (const folder of before.values()) {
    const what = upTo(9);
    if (what < 2) continue;
    const id = isOther ? `other ${folder.id}` : folder.id;
    const moved = oneOf(["root", BIN, ...since.keys()]);
    const parent =
      isOther && folder.parentFolderId !== "root" ? `other ${folder.parentFolderId}` : folder.parentFolderId;
    const displayName = what > 7 ? oneOf(NAMES) : (folder.displayName ?? "");
    since.set(id, {
      id,
      displayName,
      parentFolderId: what > 5 || !since.has(parent ?? "") ? moved : (parent ?? "root"),
    });
  }
  for (const { id, ...folder } of tree(["n0", "n1"]).values())
    since.set(id, { id, ...folder, parentFolderId: oneOf(["root", ...since.keys()]) });
  const all = folderTree(before).map(({ isSearch: _, ...folder }) => folder) as readonly SnapshotFolder[];
  return { all, live: folderTree(since) };
};

const isDeleted = (live: readonly LiveFolder[], id: string): boolean => {
  const above = live.find((folder) => folder.id === id)?.parentId;
  return above !== undefined && (above === BIN || isDeleted(live, above));
};

/** Holds what is said of the folders of a mailbox, and of what they match now, in any past. */
const hold = (check: (past: ReturnType<typeof aPast> & { readonly targets: readonly TargetFolder[] }) => void): void =>
  fc.assert(
    fc.property(fc.gen(), (draw) => {
      const { all, live } = aPast(draw);
      check({ all, live, targets: targetFolders("original", all, all, live, "unused") });
    }),
    { numRuns: 500 },
  );

describe("folders of a mailbox in any past", () => {
  test("are each the live one of its id, unless that was deleted", () => {
    hold(({ all, live }) => {
      const matches = matchFolders(all, live);
      for (const { id } of all)
        if (live.some((folder) => folder.id === id) && !isDeleted(live, id)) expect(matches.get(id)?.live?.id).toBe(id);
    });
  });

  test("never share one in the target, so that each keeps its own items", () => {
    hold(({ all, targets }) => {
      const keyOf = targetKeys(targets);
      expect(new Set(all.map(({ id }) => keyOf(id))).size).toBe(all.length);
    });
  });

  test("are created only where no live folder has the name, for that one would be found instead", () => {
    hold(({ live, targets }) => {
      const liveIdOf = new Map(targets.map(({ sourceId, liveId }) => [sourceId, liveId]));
      for (const { liveId, parentSourceId, displayName } of targets) {
        const parent = parentSourceId === undefined ? undefined : liveIdOf.get(parentSourceId);
        if (liveId !== undefined || (parentSourceId !== undefined && parent === undefined)) continue;
        const there = live.filter(({ parentId }) => parentId === parent);
        expect(there.map((folder) => folder.displayName.toLowerCase())).not.toContain(displayName.toLowerCase());
      }
    });
  });
});
