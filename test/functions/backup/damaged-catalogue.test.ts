import { describe, expect, test } from "vitest";
import { rebuild } from "../../../cli/rebuild.ts";
import { openRun } from "../../../functions/backup/backup.contract.ts";
import { openRunActivity } from "../../../functions/backup/open-run.activity.ts";
import { readRun, scratchOf } from "../../../functions/backup/run-state.ts";
import { chooseSnapshot } from "../../../functions/restore/request/choose-snapshot.ts";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { headName, manifestName } from "../../../shared/vault/names.ts";
import { readHead, readManifest } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { all } from "../../shared/vault/samples.ts";
import { aRun, deliver } from "../kit.ts";
import { aDamagedMailbox } from "./a-damaged-mailbox.ts";

const ITEMS = 12;

/** Three snapshots: a base of all items but two, and two with one more each. */
const threeSnapshots = async () => {
  const kit = await aDamagedMailbox({ items: ITEMS - 2 });
  const { admin, mailbox, vault, back } = kit;
  const add = (count = 1) => admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count });
  const ids = [(await back()).snapshotId];
  for (let night = 0; night < 2; night += 1) {
    await add();
    ids.push((await back()).snapshotId);
  }
  const [first = "", second = "", third = ""] = ids;
  const manifest = (id: string) => manifestName(mailbox.key, id);
  const damage = {
    lost: (name: string) => expect(vault.blobs.delete(name)).toBe(true),
    altered: (name: string) => {
      const { body } = vault.blobs.get(name) ?? expect.fail(name);
      body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
    },
  };
  const removeOne = async () => {
    const [item] = await kit.items();
    await admin["remove-item"]({ mailbox: mailbox.id, item: item?.id ?? "" });
  };
  return { ...kit, add, removeOne, first, second, third, manifest, damage };
};

type Three = Awaited<ReturnType<typeof threeSnapshots>>;

describe("damage in the catalogue that a run needs", () => {
  const behind: Record<string, (kit: Three) => string> = {
    "a part of the base": ({ names, first }) => names(`catalog/${first}/w`)[0] ?? "",
    "a part of the newest snapshot": ({ names, third }) => names(`catalog/${third}/`)[0] ?? "",
    "a manifest in between": ({ manifest, second }) => manifest(second),
  };
  const changes: Record<string, (kit: Three) => Promise<unknown>> = {
    "one new item": ({ add }) => add(),
    "one removed item": ({ removeOne }) => removeOne(),
  };
  const cases = Object.keys(behind).flatMap((what) =>
    (["lost", "altered"] as const).flatMap((how) =>
      Object.keys(changes).flatMap((change) => [false, true].map((full) => [what, how, change, full] as const)),
    ),
  );

  test.each(cases)("%s is %s: after %s, a run (full: %s) stores everything anew, and says so", async (...given) => {
    const [what, how, change, full] = given;
    const kit = await threeSnapshots();
    const blob = behind[what]?.(kit) ?? "";
    kit.damage[how](blob);
    await changes[change]?.(kit);
    const items = change === "one new item" ? ITEMS + 1 : ITEMS - 1;

    const run = await kit.back({ full });

    expect(run).toMatchObject({ quiet: false, state: "complete", items, totals: { exported: items } });
    expect(run.damage).toContain(blob);
    expect((await readManifest(kit.vault, kit.mailbox.key, run.snapshotId))?.manifest).toMatchObject({
      base: true,
      parent: { id: kit.third },
    });
    expect(await kit.readable(run.snapshotId)).toHaveLength(items);
    const findings = await kit.verify();
    expect(findings.map(({ superseded }) => superseded)).toEqual(findings.map(() => true));
    expect(await kit.back()).toMatchObject({ quiet: true, snapshotId: run.snapshotId });
  });

  test("that verification found: the next run stores everything anew, even if the mailbox is quiet", async () => {
    const kit = await threeSnapshots();
    kit.damage.altered(kit.names(`catalog/${kit.first}/w`)[0] ?? "");
    await kit.verify();
    expect((await kit.coverage()).state).toBe("damaged");

    const run = await kit.back();
    expect(run).toMatchObject({ quiet: false, totals: { exported: ITEMS } });
    expect(run.damage).toContain(`catalog/${kit.first}/`);
    expect((await kit.coverage()).state).not.toBe("damaged");
    expect(await kit.back()).toMatchObject({ quiet: true });
  });

  test("that verification found, and that only older snapshots need: the next run is as any other", async () => {
    const kit = await threeSnapshots();
    await compactSnapshot(kit.vault, kit.mailbox.key, kit.third);
    kit.damage.altered(kit.names(`catalog/${kit.first}/w`)[0] ?? "");
    await kit.verify();
    expect((await kit.coverage()).state).not.toBe("damaged");
    expect(await kit.back()).toMatchObject({ quiet: true });
  });

  test("ends at the base behind which a run started over, also when the catalogue is rebuilt", async () => {
    const kit = await threeSnapshots();
    kit.damage.lost(kit.manifest(kit.second));
    await kit.removeOne();
    const run = await kit.back();
    const rebuilt = memoryBlobs();
    await rebuild(kit.vault, rebuilt, { print: () => undefined, warn: () => undefined }, undefined);

    const items = await all(foldSnapshot(rebuilt, kit.mailbox.key, run.snapshotId));
    expect(items.map(({ id }) => id).sort()).toEqual(await kit.readable(run.snapshotId));
  });

  test("is not met by a run that needs none of it", async () => {
    const kit = await threeSnapshots();
    await compactSnapshot(kit.vault, kit.mailbox.key, kit.third);
    kit.damage.lost(kit.manifest(kit.second));
    await kit.add();

    const run = await kit.back();
    expect(run).toMatchObject({ items: ITEMS + 1, totals: { exported: 1 } });
    expect(run).not.toHaveProperty("damage");
  });
});

describe("a head that cannot be followed", () => {
  test.each(["lost", "altered"] as const)(
    "its manifest is %s: the run follows the newest that is whole",
    async (how) => {
      const kit = await threeSnapshots();
      const { manifest, second, third, vault, mailbox } = kit;
      kit.damage[how](manifest(third));
      expect((await chooseSnapshot(vault, mailbox.key, { select: { all: true } }))?.id).toBe(second);

      const run = await kit.back();

      expect(run).toMatchObject({ quiet: false, items: ITEMS, totals: { exported: 1 } });
      expect(run.damage).toContain(manifest(third));
      expect(run.damage).toContain(`follows ${second}`);
      expect(run.snapshotId > third).toBe(true);
      expect((await readHead(vault, mailbox.key))?.newest?.id).toBe(run.snapshotId);
      expect(await kit.readable(run.snapshotId)).toHaveLength(ITEMS);
      expect((await kit.verify()).filter(({ piece }) => piece === "head")).toEqual([]);
      expect(await kit.back()).toMatchObject({ quiet: true, snapshotId: run.snapshotId });
    },
  );

  test("no manifest is left: everything is stored anew, under an id that sorts after the lost ones", async () => {
    const kit = await threeSnapshots();
    for (const id of [kit.first, kit.second, kit.third]) kit.damage.lost(kit.manifest(id));

    const run = await kit.back({ startsAt: Date.UTC(2026, 9) });
    expect(run).toMatchObject({ items: ITEMS, totals: { exported: ITEMS } });
    expect(run.snapshotId > kit.third).toBe(true);
    expect((await readHead(kit.vault, kit.mailbox.key))?.newest?.id).toBe(run.snapshotId);
  });

  test.each(["lost", "altered"] as const)(
    "it is %s: nothing is stored twice, and the mailbox is on hold",
    async (how) => {
      const kit = await threeSnapshots();
      const { vault, mailbox } = kit;
      kit.damage[how](headName(mailbox.key));
      await kit.add();

      expect(await kit.back()).toMatchObject({ items: ITEMS + 1, totals: { exported: 1 } });
      expect(await readHead(vault, mailbox.key)).toMatchObject({ hold: { reason: expect.stringContaining("lost") } });
      expect((await kit.verify()).map(({ blob }) => blob)).toEqual([]);
    },
  );

  test("a first backup has none: nothing is said, and nothing is held", async () => {
    const { back, vault, mailbox } = await aDamagedMailbox({ items: 1 });
    expect(await back()).not.toHaveProperty("damage");
    expect(await readHead(vault, mailbox.key)).not.toHaveProperty("hold");
  });
});

describe("a clock that was ahead", () => {
  const startsAt = Date.UTC(2026, 11, 25);

  test("hides no later snapshot: each sorts after the one that it follows", async () => {
    const kit = await aDamagedMailbox({ items: 3 });
    const ids = [(await kit.back({ startsAt })).snapshotId];
    for (let night = 1; night < 4; night += 1) {
      await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 1 });
      const run = await kit.back();
      ids.push(run.snapshotId);
      expect(run).toMatchObject({ quiet: false, items: 3 + night, totals: { exported: 1 } });
      expect((await readHead(kit.vault, kit.mailbox.key))?.newest).toMatchObject({ id: run.snapshotId });
    }
    expect(await kit.snapshots()).toEqual(ids);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(await kit.verify()).toEqual([]);
  });

  test("delivered again, open-run names the run as before", async () => {
    const kit = await aDamagedMailbox({ items: 1 });
    await kit.back({ startsAt });
    const open = () =>
      deliver(openRunActivity({ ...kit, laneBudgetMs: 1_000 }), openRun, {
        mailbox: kit.mailbox,
        runId: aRun,
        full: false,
      });
    const first = await open();
    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 1 });
    await kit.back();

    expect(first.runId).toMatch(/^20261225T/);
    expect(await open()).toEqual(first);
    expect(await readRun(scratchOf(kit.work, kit.mailbox.key), kit.mailbox.key, first.runId ?? "")).toMatchObject({
      run: first.runId,
      parent: { id: expect.stringMatching(/^20261225T/) },
    });
  });
});
