import { describe, expect, test } from "vitest";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { readHead } from "../../../shared/vault/snapshots.ts";
import { all } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxInGraph } from "../kit.ts";

const ITEMS = 120;

/** A mailbox of many pages, the writes of whose backups can be made to fail. */
const aMailbox = async () => {
  const kit = await aMailboxInGraph({ items: ITEMS });
  await kit.admin.settings({ behaviours: { maxPageSize: 20 } });
  const { vault, work, mailbox } = kit;
  const place = { graphUrl: kit.emulator.graphUrl, token: "emulator-token", vault, work };
  const backUp = (options: Parameters<typeof runBackup>[2] = {}) => runBackup(place, mailbox, options);
  const create = { vault: vault.create, work: work.create };

  /** Backs up while storage fails, from the nth write of such a blob on, as long as any retry lasts. */
  const die = async (blobs: "vault" | "work", name: RegExp, writes = 1, options = {}) => {
    let written = 0;
    kit[blobs].create = (blob, ...rest) => {
      if (name.test(blob)) written += 1;
      return written >= writes ? Promise.reject(new Error("storage is down")) : create[blobs](blob, ...rest);
    };
    await expect(backUp(options)).rejects.toThrow("storage is down");
    kit[blobs].create = create[blobs];
  };
  const live = async () => {
    const newest = (await readHead(vault, mailbox.key))?.newest;
    return newest == null ? [] : all(foldSnapshot(vault, mailbox.key, newest.id));
  };
  return { ...kit, backUp, die, live };
};

describe("a run that died", () => {
  test("at its end leaves the next one nothing to export again", async () => {
    const { backUp, die, live } = await aMailbox();
    await die("vault", /\.manifest\.json$/);
    const packs = async () => (await live()).map(({ pack }) => pack);

    const next = await backUp();

    expect(next).toMatchObject({ state: "complete", isAdopted: true, totals: { exported: ITEMS } });
    expect(new Set((await packs()).map((pack) => pack.split("/")[2])).size).toBe(1);
    expect(await live()).toHaveLength(ITEMS);
  });

  test.each([
    ["while it plans", "work", /\/waves\//, 3, 1],
    ["between waves", "work", /\/waves\//, 16, 1],
    ["amid its first wave", "vault", /\/packs\//, 4, 60_000],
    ["before it keeps its first wave", "work", /\/waves\//, 1, 60_000],
  ] as const)("%s is gone on with, and nothing is exported twice", async (_, blobs, name, writes, waveMs) => {
    const { backUp, die, live, vault } = await aMailbox();
    await die(blobs, name, writes, { waveMs });
    const packsOf = () => [...vault.blobs.keys()].filter((blob) => blob.includes("/packs/"));
    const before = packsOf();
    vault.writes.length = 0;

    const next = await backUp({ waveMs });

    expect(next).toMatchObject({ state: "complete", isAdopted: true, totals: { exported: ITEMS } });
    expect(vault.writes.filter((write) => before.includes(write.replace("create ", "")))).toEqual([]);
    expect(await live()).toHaveLength(ITEMS);
  });

  test("is followed by a run that backs up what has changed since", async () => {
    const { backUp, die, live, admin, mailbox, items } = await aMailbox();
    await die("vault", /\.manifest\.json$/);
    await admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 3 });
    const [gone] = await items();
    await admin["remove-item"]({ mailbox: mailbox.id, item: gone?.id ?? "" });

    await backUp();

    expect((await live()).map(({ id }) => id).toSorted()).toEqual((await items()).map(({ id }) => id).toSorted());
  });

  test("is not gone on with by a full run", async () => {
    const { backUp, die } = await aMailbox();
    await die("vault", /\.manifest\.json$/);

    expect(await backUp({ full: true })).toMatchObject({ isAdopted: false, totals: { exported: ITEMS } });
  });

  test("is not gone on with once another run has made a snapshot", async () => {
    const { backUp, die } = await aMailbox();
    await die("vault", /\.manifest\.json$/);
    await backUp({ full: true });

    expect(await backUp()).toMatchObject({ isAdopted: false, quiet: true });
  });

  test("is not gone on with when some of its scratch data is gone", async () => {
    const { backUp, die, work } = await aMailbox();
    await die("vault", /\.manifest\.json$/, 1, { waveMs: 1 });
    for (const name of work.blobs.keys()) if (name.endsWith("/waves/w000001.json")) work.blobs.delete(name);

    expect(await backUp()).toMatchObject({ state: "complete", isAdopted: false });
  });

  test("is given up after three that died at the same wave", async () => {
    const { backUp, die } = await aMailbox();
    for (let night = 0; night < 4; night += 1) await die("vault", /\.manifest\.json$/);

    expect(await backUp()).toMatchObject({ state: "complete", isAdopted: false });
  });

  test("without a snapshot of its own, as nothing had changed, is not gone on with", async () => {
    const { backUp, vault, mailbox } = await aMailbox();
    await backUp();
    const { replace } = vault;
    vault.replace = () => Promise.reject(new Error("storage is down"));
    await expect(backUp()).rejects.toThrow("storage is down");
    vault.replace = replace;

    expect(await backUp()).toMatchObject({ isAdopted: false, quiet: true });
    expect(await readHead(vault, mailbox.key)).toMatchObject({ newest: { state: "complete" } });
  });

  test("is one of the same mailbox, even in scratch data that another one left", async () => {
    const { backUp, die, work, mailbox } = await aMailbox();
    await die("vault", /\.manifest\.json$/);
    for (const [name, blob] of work.blobs)
      if (name.endsWith("/run.json"))
        blob.body = Buffer.from(blob.body.toString().replaceAll(mailbox.key, "a".repeat(26)));

    expect(await backUp()).toMatchObject({ isAdopted: false });
  });
});
