import { describe, expect, test } from "vitest";
import { keepLinks } from "../../../functions/backup/kept-links.ts";
import { listSnapshots } from "../../../shared/vault/snapshots.ts";
import { all } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxInGraph } from "../kit.ts";

/** A mailbox that was backed up, and of which Graph then refused every delta link in a night without changes. */
const anExpiry = async () => {
  const kit = await aMailboxInGraph({ items: 40, layout: "typical", userFolders: 8 });
  const { admin, emulator, mailbox, vault, work, state } = kit;
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work, state };
  /** One run, and what it asked of Graph. */
  const night = async (options = {}) => {
    await admin["reset-counters"]({});
    const { quiet } = await runBackup(place, mailbox, options);
    const { requests } = await admin.counters({});
    return { quiet, listed: requests["items"] ?? 0, asked: Object.values(requests).reduce((sum, one) => sum + one, 0) };
  };
  await night();
  const usual = await night();
  await admin["expire-delta"]({ mailbox: mailbox.id });
  const after = await night();
  return { ...kit, night, usual, after };
};

describe("delta links that replace refused ones in a run without changes", () => {
  test("are gone on with: the night after costs what a quiet night costs", async () => {
    const { vault, night, usual, after } = await anExpiry();
    const blobs = vault.blobs.size;
    expect(after.listed).toBeGreaterThan(usual.listed);

    expect([after.quiet, await night(), await night()]).toEqual([true, usual, usual]);
    expect(vault.blobs.size).toBe(blobs);
  });

  test("are in the next snapshot", async () => {
    const { admin, mailbox, state, night, usual } = await anExpiry();
    await admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 1 });
    expect(await night()).toMatchObject({ quiet: false, listed: 0 });

    for (const name of state.blobs.keys()) await state.remove(name);
    expect(await night()).toEqual(usual);
  });

  test("count for the snapshot that they were kept for alone", async () => {
    const { admin, mailbox, vault, state, folderId, night, usual } = await anExpiry();
    const folders = [{ id: await folderId() }];
    const [first] = (await all(listSnapshots(vault, mailbox.key))).slice(0, 1);
    await admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 1 });
    await night();
    await keepLinks(state, mailbox.key, { snapshot: first ?? "", folders });

    expect(await night()).toEqual(usual);
  });

  test("are kept again when some of them are refused too", async () => {
    const { admin, mailbox, night, usual } = await anExpiry();
    await admin["expire-delta"]({ mailbox: mailbox.id, folder: "inbox" });
    expect(await night()).toMatchObject({ quiet: true, listed: 1 });

    expect(await night()).toEqual(usual);
  });

  test("are kept of a run that listed everything on request", async () => {
    const { admin, mailbox, night, usual } = await anExpiry();
    await admin["expire-delta"]({ mailbox: mailbox.id });
    expect(await night({ full: true })).toMatchObject({ quiet: true });

    expect(await night()).toEqual(usual);
  });
});
