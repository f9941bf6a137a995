import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { INVENTORY_NAME, MAILBOX_PREFIX } from "../../../functions/personal-data/package-names.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { packName } from "../../../shared/vault/names.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, all, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { writeHistory } from "../browse/a-vault.ts";
import { aPackage } from "./a-finished-export.ts";

const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");

const entry = (name: string, text: string) => ({
  name,
  bytes: Buffer.byteLength(text),
  md5: hash("md5", text),
  sha256: hash("sha256", text),
});

const inventoryOf = async ({ container }: Pick<Awaited<ReturnType<typeof aPackage>>, "container">) =>
  String((await container.readWhole(INVENTORY_NAME))?.body)
    .split("\n")
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));

describe("list-personal-data", () => {
  const files = { "OneDrive/a b.txt": "a".repeat(5_000), "RequestInfo.json": "{}", "ä.txt": "" };
  const entries = Object.entries(files).map(([name, text]) => entry(name, text));

  test("hashes every file, and writes the inventory", async () => {
    const kit = await aPackage(files);

    const listed = await kit.list();

    expect(await inventoryOf(kit)).toEqual(entries);
    const text = String((await kit.container.readWhole(INVENTORY_NAME))?.body);
    expect(listed).toEqual({ files: 3, bytes: 5_002, inventorySha256: hash("sha256", text) });
  });

  test("stops when its time is up, goes on with the next page, and always hashes some files", async () => {
    const names = Array.from({ length: 10 }, (_, n) => `file-${n}`);
    const kit = await aPackage(Object.fromEntries(names.map((name) => [name, name])), 0);
    const pages: unknown[] = [];
    for (let page = 0; page < 3; page += 1) pages.push(await kit.list(page));

    expect(pages).toMatchObject([{ files: 4 }, { files: 4 }, { files: 2, inventorySha256: expect.any(String) }]);
    expect(await inventoryOf(kit)).toEqual(names.map((name) => entry(name, name)));
  });

  test("delivered again, returns the same, and leaves one inventory", async () => {
    const kit = await aPackage(files);
    const first = await kit.list();
    await kit.container.create("late.txt", Buffer.from("written with the old URL"));

    expect(await kit.list()).toEqual(first);
    expect(await inventoryOf(kit)).toEqual(entries);
  });

  test("replaces a forged inventory", async () => {
    const kit = await aPackage({ ...files, [INVENTORY_NAME]: "forged" });
    await kit.list();

    expect(await inventoryOf(kit)).toEqual(entries);
  });

  test("returns no file names", async () => {
    const kit = await aPackage(files);

    expect(JSON.stringify(await kit.list())).not.toContain("a b.txt");
  });
});

describe("copy-mailbox-data", () => {
  const put = (n: number) => aPut({ id: `item-${n}`, pack: packName(aKey, snapshotAt(0), 0, n) });

  /** A mailbox with a chain of two snapshots. The pack of a removed item is not needed any more. */
  const aBackedUpMailbox = async (laneBudgetMs?: number) => {
    const kit = await aPackage({}, laneBudgetMs);
    const removal = {
      v: 1 as const,
      op: "remove" as const,
      id: "item-2",
      folderId: put(2).folderId,
      reason: "deleted",
    };
    await writeHistory(kit.vault, [[[put(0), put(1), put(2)]], [[removal]]]);
    for (const n of [0, 1, 2]) await kit.vault.create(put(n).pack, Buffer.from(`pack ${n}`));
    return kit;
  };

  test("copies the chain of manifests, their parts, and the packs of live items, byte by byte", async () => {
    const { copy, names, container, vault } = await aBackedUpMailbox();

    const copied = await copy([aKey]);

    const wanted = [...vault.blobs.keys()]
      .filter((name) => !name.endsWith("head.json") && name !== put(2).pack)
      .toSorted();
    expect(wanted).toHaveLength(7);
    expect(await names()).toEqual(wanted.map((name) => `${MAILBOX_PREFIX}${name}`));
    expect(copied).toEqual({
      blobs: 7,
      bytes: wanted.reduce((sum, name) => sum + (vault.blobs.get(name)?.body.length ?? 0), 0),
    });
    for (const name of wanted)
      expect((await container.readWhole(`${MAILBOX_PREFIX}${name}`))?.body).toEqual(vault.blobs.get(name)?.body);
  });

  test.each<[where: string, prepare: (vault: Blobs) => Promise<unknown>]>([
    ["from its chain", async () => undefined],
    ["from the base beside its newest snapshot", (vault) => compactSnapshot(vault, aKey, snapshotAt(1), 1)],
  ])("makes a package that can be read as a vault, %s", async (_, prepare) => {
    const { copy, container, vault } = await aBackedUpMailbox();
    await prepare(vault);
    await copy([aKey]);
    const copyOfVault = memoryBlobs();
    for await (const { name } of container.list(MAILBOX_PREFIX))
      await copyOfVault.create(
        name.slice(MAILBOX_PREFIX.length),
        (await container.readWhole(name))?.body ?? Buffer.of(),
      );

    const live = await all(foldSnapshot(copyOfVault, aKey, snapshotAt(1)));
    expect(live.map(({ id }) => id).toSorted()).toEqual(["item-0", "item-1"]);
    for (const { pack } of live) expect(await copyOfVault.info(pack)).toBeDefined();
  });

  test("stops when its time is up, and goes on from there by the same plan", async () => {
    const { copy, names, vault } = await aBackedUpMailbox(0);

    expect(await copy([aKey])).toMatchObject({ blobs: 4, next: 4 });
    await writeHistory(vault, [[[put(0)]], [[]], [[put(1)]]]);
    expect(await copy([aKey], 4)).toEqual({ blobs: 3, bytes: expect.any(Number) });
    expect(await names()).toHaveLength(7);
  });

  test("delivered again, changes nothing", async () => {
    const { copy, names } = await aBackedUpMailbox();
    const first = await copy([aKey]);
    const before = await names();

    expect(await copy([aKey])).toEqual(first);
    expect(await names()).toEqual(before);
  });

  test("fails when a blob of the snapshot is missing in the vault, and leaves a note of it", async () => {
    const { copy, vault, work } = await aBackedUpMailbox();
    vault.blobs.delete(put(1).pack);

    await expect(copy([aKey])).rejects.toThrow("missing");
    expect([...work.blobs.keys()]).toContain(`damaged/${put(1).pack}`);
  });
});
