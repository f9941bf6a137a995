import { describe, expect, test } from "vitest";
import { ensureFolder, type FolderResource, folderTree, listFolders } from "../../../shared/graph/folders.ts";
import type { PageProblem } from "../../../shared/graph/read-element.ts";
import { aGraph } from "./a-graph.ts";

const mailbox = { id: "MBX:a@b", kind: "primary" } as const;

const resource = (
  id: string,
  parentFolderId?: string | null,
  displayName: string | undefined = id,
): FolderResource => ({
  id,
  displayName,
  ...(parentFolderId === undefined ? {} : { parentFolderId }),
});

describe("listFolders", () => {
  test("takes folders of which something is odd, and tells of it once", async () => {
    const value = [
      { id: "a", displayName: null, childFolderCount: 1, totalItemCount: "5", parentFolderId: "root" },
      { id: "b", displayName: "B", childFolderCount: 0, totalItemCount: -2, wellKnownName: 7 },
      { displayName: "no id" },
    ];
    const child = { id: "c", displayName: "C", childFolderCount: 0, parentFolderId: "a" };
    const { client } = await aGraph([{ body: { value } }, { body: { value: [child] } }]);
    const problems: PageProblem[] = [];

    const folders = await listFolders(client, mailbox, (problem) => problems.push(problem));

    expect(folders).toMatchObject([
      { id: "a", itemCount: 0, path: expect.stringMatching(/^Unnamed folder [0-9a-f]{8}$/) },
      { id: "b", displayName: "B", itemCount: 0 },
      { id: "c", parentId: "a", path: expect.stringMatching(/^Unnamed folder [0-9a-f]{8}\/C$/) },
    ]);
    expect(problems.map(({ id, what }) => `${id}: ${what.split(" is not")[0]}`).toSorted()).toEqual([
      "a: displayName",
      "a: the folder has no name",
      "a: totalItemCount",
      "b: totalItemCount",
      "b: wellKnownName",
      "undefined: an element without an id",
    ]);
  });

  test.each([[undefined], [null], [-1], ["1"]])(
    "asks for the children of a folder that has %j of them",
    async (count) => {
      const parent = { ...resource("a"), childFolderCount: count };
      const child = { ...resource("b", "a"), childFolderCount: 0 };
      const { client, asked } = await aGraph([{ body: { value: [parent] } }, { body: { value: [child] } }]);

      expect((await listFolders(client, mailbox)).map(({ path }) => path)).toEqual(["a", "a/b"]);
      expect(asked).toHaveLength(2);
    },
  );
});

test("folders without a name get different ones", () => {
  const unnamed = ["a", "b"].map((id): FolderResource => ({ id }));

  const paths = folderTree(new Map(unnamed.map((folder) => [folder.id, folder]))).map(({ path }) => path);

  expect(new Set(paths).size).toBe(2);
});

describe("a circle of parents", () => {
  const treeOf = (...folders: readonly FolderResource[]) => {
    const problems: PageProblem[] = [];
    const tree = folderTree(new Map(folders.map((folder) => [folder.id, folder])), (problem) => problems.push(problem));
    return { paths: tree.map(({ path }) => path), tree, problems };
  };
  const told = (id: string) => [{ id, what: "the folder is below itself" }];

  test("of one folder: it stands at the top, as its children stand below it", () => {
    expect(treeOf(resource("in", "root"), resource("root", "root"), resource("out", "root"))).toMatchObject({
      paths: ["root", "root/in", "root/out"],
      problems: told("root"),
    });
  });

  test("of several: one stands at the top, the others below it, and each folder is there once", () => {
    const circle = [resource("a", "b"), resource("b", "c"), resource("c", "a"), resource("d", "b"), resource("e")];

    const { paths, tree, problems } = treeOf(...circle);

    expect(paths).toEqual(["c", "c/b", "c/b/a", "c/b/d", "e"]);
    expect(tree.map(({ id, parentId }) => [id, parentId])).toContainEqual(["c", undefined]);
    expect(problems).toEqual(told("c"));
  });

  test("is told in a listing too, once, and costs no other folder", async () => {
    const top = [
      { ...resource("a", "b"), childFolderCount: 1 },
      { ...resource("x"), childFolderCount: 0 },
    ];
    const below = [{ ...resource("b", "a"), childFolderCount: 1 }];
    const { client } = await aGraph([{ body: { value: top } }, { body: { value: below } }, { body: { value: top } }]);
    const problems: PageProblem[] = [];

    const folders = await listFolders(client, mailbox, (problem) => problems.push(problem));

    expect(folders.map(({ path }) => path).toSorted()).toEqual(["b", "b/a", "x"]);
    expect(problems).toEqual(told("b"));
  });
});

test("folders may be nested deeper than calls may", () => {
  const nested = Array.from({ length: 20_000 }, (_, n) => resource(`${n}`, `${n + 1}`, "f"));

  expect(folderTree(new Map(nested.map((folder) => [folder.id, folder])))).toHaveLength(nested.length);
});

describe("ensureFolder", () => {
  test("takes no folder from further below for one of the top, where the top's list shows those too", async () => {
    const value = [resource("a", "root", "Projects"), resource("b", "a", "2026")];
    const { client, asked } = await aGraph([{ body: { value } }, { status: 201, body: resource("c", "root", "2026") }]);

    const made = await ensureFolder(client, mailbox, { displayName: "2026", type: "IPF.Note" });

    expect(made).toEqual({ id: "c", created: true });
    expect(asked.map(({ method }) => method)).toEqual(["GET", "POST"]);
  });

  test("takes no folder from further below for a child of its parent", async () => {
    const value = [resource("b", "a", "Clients"), resource("c", "b", "2026")];
    const { client } = await aGraph([{ body: { value } }, { status: 201, body: resource("d", "a", "2026") }]);

    const made = await ensureFolder(client, mailbox, { displayName: "2026", type: "IPF.Note", parentId: "a" });

    expect(made).toEqual({ id: "d", created: true });
  });

  test.each([
    ["a", undefined],
    ["a", null],
    ["a", "b"],
    [undefined, "b"],
  ])("finds a folder of the list below %j by its name, where Graph tells %j as its parent", async (parentId, told) => {
    const { client } = await aGraph([{ body: { value: [resource("b", told, "projects")] } }]);
    const wanted = { displayName: "Projects", type: "IPF.Note", ...(parentId === undefined ? {} : { parentId }) };

    expect(await ensureFolder(client, mailbox, wanted)).toEqual({ id: "b", created: false });
  });
});
