import { describe, expect, test } from "vitest";
import { readProblems } from "../../../../shared/vault/problems.ts";
import { readManifest } from "../../../../shared/vault/snapshots.ts";
import { aPlan, type PlanKit } from "../plan/a-plan.ts";

const problemsOf = async ({ vault, mailbox }: PlanKit, id: string): Promise<string[]> => {
  const found = await readManifest(vault, mailbox.key, id);
  return found === undefined ? [] : (await readProblems(vault, found.manifest)).map(({ what }) => what);
};

const add = ({ admin, mailbox }: PlanKit, count: number, folder = "inbox") =>
  admin["create-items"]({ mailbox: mailbox.id, folder, count });

describe("the folders of a run are compared with what Graph says that they hold", () => {
  test("a backup of a mailbox at rest asks no more for it, and a quiet run folds nothing", async () => {
    const kit = await aPlan({ items: 30, userFolders: 3 });
    await kit.admin["reset-counters"]({});
    await kit.backUp();
    const asked = await kit.asked("folder");
    const quiet = await kit.backUp();

    expect(asked).toBe(0);
    expect(quiet).toMatchObject({ quiet: true });
    expect([...kit.work.blobs.keys()].filter((name) => name.includes("/catalogue/"))).toEqual([]);
  });

  test("an item that no delta round told makes the snapshot partial, and the next run stores it", async () => {
    const kit = await aPlan({ items: 30 });
    await kit.backUp();
    await kit.admin.settings({ behaviours: { deltaForgetsAdded: 1 } });
    await add(kit, 1);

    const runs = [await kit.backUp(), await kit.backUp(), await kit.backUp()];

    expect(runs.map(({ state, items, quiet }) => [state, items, quiet])).toEqual([
      ["partial", 30, false],
      ["complete", 31, false],
      ["complete", 31, true],
    ]);
    expect(await problemsOf(kit, runs[0]?.snapshotId ?? "")).toEqual([
      "the folder holds 31 items, and the snapshot has 30: 1 are missing, 0 are gone without a removal",
    ]);
  });

  test("a removal that no delta round told makes the snapshot partial, and the next run proves it", async () => {
    const kit = await aPlan({ items: 30 });
    await kit.backUp();
    await kit.admin.settings({ behaviours: { deltaForgetsRemoved: 1 } });
    const [gone = ""] = (await kit.items()).map(({ id }) => id);
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: gone });

    const runs = [await kit.backUp(), await kit.backUp()];

    expect(runs.map(({ state, items }) => [state, items])).toEqual([
      ["partial", 30],
      ["complete", 29],
    ]);
  });

  test("a number that is always above what Graph lists is noted once, and costs nothing later", async () => {
    const kit = await aPlan({ items: 30 }, { uncountedItems: 3 });
    const first = await kit.backUp();
    await kit.admin["reset-counters"]({});
    const quiet = await kit.backUp();
    const looks = await kit.asked("folder");
    await add(kit, 2);
    const next = await kit.backUp();

    expect([first, quiet, next].map(({ state, items, quiet }) => [state, items, quiet])).toEqual([
      ["complete", 30, false],
      ["complete", 30, true],
      ["complete", 32, false],
    ]);
    expect([looks, await kit.asked("items")]).toEqual([0, 1]);
  });

  test("what goes when it is stored already is left to the next one", async () => {
    const kit = await aPlan({ items: 30 });
    const [item = ""] = (await kit.items()).map(({ id }) => id);
    const act = { act: "remove-item", item } as const;
    await kit.fault({ kind: "meanwhile", endpoint: "export-items", after: 1, count: 1, act });

    const runs = [await kit.backUp({ waveMs: 1 }), await kit.backUp()];

    expect(runs.map(({ state, items }) => [state, items])).toEqual([
      ["complete", 30],
      ["complete", 29],
    ]);
  });

  test("while Graph throttles, they are compared in a later wave", async () => {
    const kit = await aPlan({ items: 30 }, { uncountedItems: 3 });
    await kit.fault({ kind: "status", endpoint: "folder", status: 429, retryAfter: 900, count: 2 } as never);

    expect(await kit.backUp()).toMatchObject({ state: "complete", items: 30 });
  });
});
