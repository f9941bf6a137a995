import { describe, expect, test } from "vitest";
import { z } from "zod";
import { azureBlobs } from "../../../shared/storage/azure-blobs.ts";
import { type Blobs, collect, readJson, UnreadableBlobError, updateJson } from "../../../shared/storage/blobs.ts";
import { blobsBelow } from "../../../shared/storage/blobs-below.ts";
import { useAzurite } from "../../support/azurite.ts";
import { all } from "../vault/samples.ts";
import { memoryBlobs } from "./memory-blobs.ts";

const text = (value: string): Buffer => Buffer.from(value);
const blockId = (value: string): string => text(value).toString("base64");

const read = async (blobs: Blobs, name: string, range?: { offset: number; length: number }) => {
  const chunks = await blobs.read(name, range);
  return chunks && (await collect(chunks)).toString();
};

const implementations: [string, () => Promise<Blobs>][] = [
  ["below a prefix", async () => blobsBelow(memoryBlobs(), "a/b/")],
  ["in memory", async () => memoryBlobs()],
  ["in Blob Storage", async () => azureBlobs(await useAzurite().freshContainer())],
];

describe.each(implementations)("blobs %s", (_, fresh) => {
  test("are absent until they are created", async () => {
    const blobs = await fresh();

    expect(await blobs.info("a")).toBeUndefined();
    expect(await read(blobs, "a")).toBeUndefined();
    expect(await read(blobs, "a", { offset: 3, length: 1 })).toBeUndefined();
    expect(await blobs.readWhole("a")).toBeUndefined();
    expect(await blobs.remove("a")).toBe("absent");
  });

  test("are created once and then stay", async () => {
    const blobs = await fresh();

    expect(await blobs.create("a", text("first"), { metadata: { lane: "1" } })).toBe("created");
    expect(await blobs.create("a", text("second"), { metadata: { lane: "2" } })).toBe("exists");

    expect(await read(blobs, "a")).toBe("first");
    expect(await blobs.info("a")).toEqual({ bytes: 5, metadata: { lane: "1" } });
  });

  test("consist of blocks in the order of the commit", async () => {
    const blobs = await fresh();
    for (const piece of ["two", "one"]) await blobs.stage("a", blockId(piece), text(piece));

    expect(await blobs.info("a")).toBeUndefined();
    expect(await blobs.commit("a", [blockId("one"), blockId("two")], { metadata: { lane: "1" } })).toBe("created");

    expect(await read(blobs, "a")).toBe("onetwo");
    expect(await blobs.info("a")).toEqual({ bytes: 6, metadata: { lane: "1" } });
  });

  test("keep the first of two writers that stage at the same time", async () => {
    const blobs = await fresh();
    await blobs.stage("a", blockId("w1"), text("first"));
    await blobs.stage("a", blockId("w2"), text("second"));

    expect(await blobs.commit("a", [blockId("w1")])).toBe("created");
    expect(await blobs.commit("a", [blockId("w2")])).toBe("exists");
    expect(await read(blobs, "a")).toBe("first");
  });

  test("throw on a block that was never staged", async () => {
    const blobs = await fresh();
    await expect(blobs.commit("a", [blockId("none")])).rejects.toThrow();
  });

  test.each([
    [{ offset: 2, length: 3 }, "cde"],
    [{ offset: 4, length: 100 }, "ef"],
    [{ offset: 6, length: 1 }, ""],
    [{ offset: 99, length: 1 }, ""],
    [{ offset: 1, length: 0 }, ""],
  ])("are read by range %j", async (range, expected) => {
    const blobs = await fresh();
    await blobs.create("a", text("abcdef"));

    expect(await read(blobs, "a", range)).toBe(expected);
  });

  test("are replaced only in the version that was read", async () => {
    const blobs = await fresh();

    expect(await blobs.replace("a", text("1"), undefined)).toBe(true);
    expect(await blobs.replace("a", text("2"), undefined)).toBe(false);
    const etag = (await blobs.readWhole("a"))?.etag;
    expect(await blobs.replace("a", text("3"), etag)).toBe(true);
    expect(await blobs.replace("a", text("4"), etag)).toBe(false);
    expect(await read(blobs, "a")).toBe("3");
  });

  test("are listed by prefix, in order, and by folder", async () => {
    const blobs = await fresh();
    for (const name of ["b/2", "b/1", "a/x/1", "a/y/2", "top"]) await blobs.create(name, text(name));

    expect(await names(blobs.list("b/"))).toEqual(["b/1", "b/2"]);
    expect(await all(blobs.listFolders(""))).toEqual(["a", "b"]);
    expect(await all(blobs.listFolders("a/"))).toEqual(["a/x", "a/y"]);
    expect(await blobs.remove("b/1")).toBe("removed");
    expect(await names(blobs.list("b/"))).toEqual(["b/2"]);
  });

  test("are removed only in the version that was listed", async () => {
    const blobs = await fresh();
    await blobs.create("a", text("first"));
    const [listed] = await all(blobs.list("a"));
    await blobs.replace("a", text("second"), listed?.etag);

    expect(await blobs.remove("a", listed?.etag)).toBe("refused");
    expect(await read(blobs, "a")).toBe("second");
    const [now] = await all(blobs.list("a"));
    expect(await blobs.remove("a", now?.etag)).toBe("removed");
    expect(await names(blobs.list(""))).toEqual([]);
  });

  test("are new again when they are renewed, with content and metadata as they are", async () => {
    const blobs = await fresh();
    await blobs.create("a", text("content"), { metadata: { sum: "1" } });
    const [before] = await all(blobs.list("a"));

    await blobs.renew("a");
    await blobs.renew("absent");

    const [after] = await all(blobs.list(""));
    expect([await read(blobs, "a"), await blobs.info("a")]).toEqual(["content", { bytes: 7, metadata: { sum: "1" } }]);
    expect(after?.etag).not.toBe(before?.etag);
    expect(after?.modified.getTime()).toBeGreaterThanOrEqual(before?.modified.getTime() ?? Number.NaN);
  });

  test("count every one of many concurrent updates", async () => {
    const blobs = await fresh();
    const schema = z.object({ n: z.int() });

    await Promise.all(
      Array.from({ length: 4 }, () => updateJson(blobs, "n.json", schema, (now) => ({ n: (now?.n ?? 0) + 1 }))),
    );

    expect(await readJson(blobs, "n.json", schema)).toEqual({ n: 4 });
  });

  test("throw an error that names the blob when its JSON is wrong", async () => {
    const blobs = await fresh();
    await blobs.create("n.json", text("{"));

    const reading = readJson(blobs, "n.json", z.object({ n: z.int() }));
    await expect(reading).rejects.toThrow(UnreadableBlobError);
    await expect(reading).rejects.toThrow("n.json");
  });
});

describe("blobs in Blob Storage", () => {
  test("stay when the container refuses to remove them", async () => {
    const container = await useAzurite().freshContainer();
    const blobs = azureBlobs(container);
    await blobs.create("a", text("held"));
    await container.getBlobClient("a").getBlobLeaseClient().acquireLease(-1);

    expect(await blobs.remove("a")).toBe("refused");
    expect(await read(blobs, "a")).toBe("held");
  });

  test("are not renewed while somebody has a lease on them", async () => {
    const container = await useAzurite().freshContainer();
    const blobs = azureBlobs(container);
    await container.getAppendBlobClient("a").create();
    await container.getBlobClient("a").getBlobLeaseClient().acquireLease(-1);
    const [before] = await all(blobs.list("a"));

    await blobs.renew("a");

    expect((await all(blobs.list("a")))[0]?.etag).toBe(before?.etag);
  });

  test("throw when the container is missing, which is not an absent blob", async () => {
    const container = await useAzurite().freshContainer();
    await container.delete();

    await expect(azureBlobs(container).info("a")).rejects.toThrow();
    await expect(azureBlobs(container).readWhole("a")).rejects.toThrow();
  });
});

const names = async (listed: AsyncIterable<{ name: string }>): Promise<string[]> =>
  (await all(listed)).map(({ name }) => name);
