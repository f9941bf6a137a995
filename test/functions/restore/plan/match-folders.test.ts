import { describe, expect, test } from "vitest";
import { matchFolders } from "../../../../functions/restore/plan/match-folders.ts";
import { targetFolders, targetKeys } from "../../../../functions/restore/plan/target-folders.ts";
import { type FolderResource, folderTree, type LiveFolder } from "../../../../shared/graph/folders.ts";
import type { SnapshotFolder } from "../../../../shared/vault/records.ts";
import { aFolderAt } from "./folders.ts";

test("only children of the root count as the root's", () => {
  const live = [aFolderAt("Projects", { prefix: "live" }), aFolderAt("Projects/2026", { prefix: "live" })];
  const top = aFolderAt("2026");

  expect(matchFolders([top], live).get(top.id)).toEqual({ displayName: "2026" });
  expect(matchFolders([top], [...live, aFolderAt("2026", { prefix: "live" })]).get(top.id)?.live?.id).toBe("live:2026");
});

/** Numbers from 0 up to 1 that a seed decides. Source: Numerical Recipes, chapter 7.1, "quick and dirty" generators. */
const randomOf = (seed: number) => {
  let state = seed >>> 0;
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

const NAMES = ["News", "news", "NEWS", "News (2)", "2026"];
const BIN = "bin";

/** A mailbox, and what it is now: folders were renamed, moved, deleted and made, some with the names of others. */
const aPast = (seed: number) => {
  const random = randomOf(seed);
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const tree = (ids: readonly string[]): Map<string, FolderResource> => {
    const made = new Map<string, FolderResource>();
    for (const id of ids)
      made.set(id, { id, displayName: oneOf(NAMES), parentFolderId: oneOf(["root", ...made.keys()]) });
    return made;
  };
  const before = tree(Array.from({ length: 2 + Math.floor(random() * 7) }, (_, n) => `f${n}`));
  const bin: FolderResource = {
    id: BIN,
    displayName: "Deleted Items",
    parentFolderId: "root",
    wellKnownName: "deleteditems",
  };
  const since = new Map([[BIN, bin]]);
  const isOther = random() < 0.2;
  for (const folder of before.values()) {
    const what = random();
    if (what < 0.2) continue;
    const id = isOther ? `other ${folder.id}` : folder.id;
    const moved = oneOf(["root", BIN, ...since.keys()]);
    const parent =
      isOther && folder.parentFolderId !== "root" ? `other ${folder.parentFolderId}` : folder.parentFolderId;
    const displayName = what > 0.8 ? oneOf(NAMES) : (folder.displayName ?? "");
    since.set(id, {
      id,
      displayName,
      parentFolderId: what > 0.6 || !since.has(parent ?? "") ? moved : (parent ?? "root"),
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

const PASTS = Array.from({ length: 300 }, (_, seed) => {
  const { all, live } = aPast(seed);
  return { seed, all, live, targets: targetFolders("original", all, all, live, "unused") };
});

describe("folders of a mailbox in any past", () => {
  test("are each the live one of its id, unless that was deleted", () => {
    for (const { seed, all, live } of PASTS) {
      const matches = matchFolders(all, live);
      for (const { id } of all)
        if (live.some((folder) => folder.id === id) && !isDeleted(live, id))
          expect(matches.get(id)?.live?.id, `seed ${seed}`).toBe(id);
    }
  });

  test("never share one in the target, so that each keeps its own items", () => {
    for (const { seed, all, targets } of PASTS) {
      const keyOf = targetKeys(targets);
      expect(new Set(all.map(({ id }) => keyOf(id))).size, `seed ${seed}`).toBe(all.length);
    }
  });

  test("are created only where no live folder has the name, for that one would be found instead", () => {
    for (const { seed, live, targets } of PASTS) {
      const liveIdOf = new Map(targets.map(({ sourceId, liveId }) => [sourceId, liveId]));
      for (const { liveId, parentSourceId, displayName } of targets) {
        const parent = parentSourceId === undefined ? undefined : liveIdOf.get(parentSourceId);
        if (liveId !== undefined || (parentSourceId !== undefined && parent === undefined)) continue;
        const there = live
          .filter(({ parentId }) => parentId === parent)
          .map((folder) => folder.displayName.toLowerCase());
        expect(there, `seed ${seed}`).not.toContain(displayName.toLowerCase());
      }
    }
  });
});
