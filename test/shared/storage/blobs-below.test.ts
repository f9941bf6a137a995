import { expect, test } from "vitest";
import { blobsBelow } from "../../../shared/storage/blobs-below.ts";
import { all } from "../vault/samples.ts";
import { memoryBlobs } from "./memory-blobs.ts";

const text = (value: string): Buffer => Buffer.from(value);

test("blobs below a prefix see and change nothing beside it", async () => {
  const container = memoryBlobs();
  for (const name of ["a/x", "a/dir/y", "b/x", "x"]) await container.create(name, text(name));
  const below = blobsBelow(container, "a/");

  expect(await all(below.list(""))).toMatchObject([{ name: "dir/y" }, { name: "x" }]);
  expect(await all(below.listFolders(""))).toEqual(["dir"]);
  expect((await below.readWhole("x"))?.body.toString()).toBe("a/x");
  expect(await below.create("x", text("again"))).toBe("exists");
  expect(await below.create("new", text("new"))).toBe("created");
  expect(await below.replace("b/x", text("mine"), undefined)).toBe(true);
  expect(await below.remove("x")).toBe("removed");
  expect([...container.blobs.keys()].toSorted()).toEqual(["a/b/x", "a/dir/y", "a/new", "b/x", "x"]);
});
