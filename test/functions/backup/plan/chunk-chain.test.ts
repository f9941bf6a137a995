import { describe, expect, test } from "vitest";
import { planCache } from "../../../../functions/backup/plan/plan-cache.ts";
import { afterABackup, aPlan, expectEachOnce, ITEMS, type PlanKit, SMALL_PAGES } from "./a-plan.ts";

const planBlobs = ({ work }: PlanKit): string[] =>
  [...work.blobs.keys()].filter((name) => name.includes("/plan/c")).toSorted();

describe("deliveries", () => {
  test("of the same lane at the same time follow one chain", async () => {
    const kit = await aPlan({ items: ITEMS }, SMALL_PAGES);
    await kit.open();

    const [one, other] = await Promise.all([kit.plan(), kit.plan()]);

    expect(other).toEqual(one);
    await expectEachOnce(kit);
  });

  test("that plan different chunks at the same time agree on every chunk", async () => {
    const kit = await aPlan({ items: ITEMS }, SMALL_PAGES);
    await kit.open();
    await kit.plan(0, 1);

    await Promise.all([kit.plan(0), kit.plan(1), kit.planOn(1)]);

    await expectEachOnce(kit);
  });

  test("that meet another's chunks drop their cache: no item is passed over or taken for removed", async () => {
    const kit = await aPlan({ items: 2 * ITEMS }, SMALL_PAGES);
    await kit.open();
    const cache = planCache();
    await kit.plan(0, 2, cache);
    await kit.planOn(2);
    const { chunks } = await kit.outcome();
    // The last is of another folder; the one before it ends this one.
    for (const name of planBlobs(kit).slice(-2)) await kit.work.remove(name);

    await kit.plan(2, 64, cache);

    expect(chunks.length).toBeGreaterThan(4);
    expect((await kit.outcome()).chunks).toHaveLength(chunks.length);
    expect((await kit.outcome()).removed).toEqual([]);
    await expectEachOnce(kit);
  });

  test("plan several folders at the same time, and make the same chunks as one that plans them in turn", async () => {
    const options = { layout: "typical", items: 400, userFolders: 12 } as const;
    const [kit, other] = [await aPlan(options), await aPlan(options)];
    for (const { open, admin } of [kit, other]) {
      await open();
      await admin["reset-counters"]({});
      await admin.settings({ latencyMs: 20 });
    }

    await kit.plan();
    await other.plan(0, 64, planCache(), () => false);

    const most = async ({ admin, mailbox }: PlanKit) =>
      (await admin.counters({})).mailboxes[mailbox.id]?.highestConcurrency;
    expect(await most(kit)).toBe(4);
    expect(await most(other)).toBe(1);
    const shape = async ({ outcome }: PlanKit) => {
      const { chunks, finished, folders } = await outcome();
      expect(finished).toEqual(folders);
      return chunks.map(({ batches, next }) => [batches.map((batch) => batch.length), next?.folder, next?.phase]);
    };
    expect(await shape(kit)).toEqual(await shape(other));
    expect(await kit.asked("items-delta")).toBe(await other.asked("items-delta"));
  });

  test("that go on in the same process need not read the chunks before", async () => {
    const kit = await aPlan({ items: 2 * ITEMS }, SMALL_PAGES);
    await kit.open();
    const cache = planCache();
    await kit.plan(0, 2, cache);
    await kit.work.remove(planBlobs(kit)[0] ?? "");

    await expect(kit.plan(2, 1)).rejects.toThrow("The scratch data has no");
    expect((await kit.plan(2, 1, cache)).chunks).toHaveLength(1);
  });

  test("that a long refusal ends amid a folder are continued where the last chunk ended", async () => {
    const kit = await aPlan({ items: ITEMS }, SMALL_PAGES);
    await kit.open();
    await kit.fault({ kind: "status", endpoint: "items-delta", status: 429, retryAfter: 900, after: 25, count: 1 });

    await expect(kit.plan()).rejects.toMatchObject({ status: 429, retryAfterMs: 900_000 });
    const { chunks } = await kit.outcome();
    await kit.plan(chunks.length);

    expect(chunks.length).toBeGreaterThan(0);
    await expectEachOnce(kit);
  });
});

const REFUSALS = [
  { status: 400, code: "ErrorInvalidUrlQueryFilter" },
  { status: 404, code: "ErrorItemNotFound" },
  { status: 500, code: "ErrorContentConversionFailed", retryAfter: 0 },
];

describe.each(REFUSALS)("a listing that Graph refuses with $status $code", (refusal) => {
  const subjects = async (kit: PlanKit): Promise<number> =>
    (await kit.outcome()).planned.filter(({ subject }) => subject !== undefined).length;

  test("leaves changed items to be enriched one by one", async () => {
    const kit = await aPlan();
    const { planned } = await afterABackup(kit);
    await kit.open();
    await kit.fault({ kind: "status", endpoint: "items", ...refusal });

    await kit.planOn();

    expect((await kit.outcome()).ids).toEqual(planned);
    expect(await subjects(kit)).toBe(planned.length);
  });

  test("costs no item when single items are refused too, in a later run or in the first", async () => {
    for (const isFirst of [false, true]) {
      const kit = await aPlan();
      if (!isFirst) await afterABackup(kit);
      await kit.open();
      for (const endpoint of ["items", "item"]) await kit.fault({ kind: "status", endpoint, ...refusal });

      await kit.planOn();

      if (isFirst) await expectEachOnce(kit);
      expect((await kit.outcome()).ids).toHaveLength(isFirst ? 30 : 3);
      expect(await subjects(kit)).toBe(0);
    }
  });
});

describe("a folder", () => {
  test("that is removed during the run loses only its own items", async () => {
    const kit = await aPlan({ layout: "typical", userFolders: 2 });
    await kit.backUp();
    const [, gone] = (await kit.admin.folders({ mailbox: kit.mailbox.id })).filter(({ key }) =>
      key.startsWith("user-"),
    );
    await kit.open();
    await kit.admin["remove-folder"]({ mailbox: kit.mailbox.id, folder: gone?.id ?? "" });
    const { ids } = await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 2 });

    await kit.planOn();

    const outcome = await kit.outcome();
    expect(outcome).toMatchObject({ ids: ids.toSorted(), removed: [] });
    expect(outcome.finished).toEqual(outcome.folders);
  });

  test("that is not found because the mailbox is gone fails planning: its items must not be missed", async () => {
    const kit = await aPlan();
    await kit.open();
    await kit.fault({ kind: "status", endpoint: "*", status: 404, code: "ErrorItemNotFound" });

    await expect(kit.plan()).rejects.toThrow("Graph answered 404 ErrorItemNotFound to GET folders");
  });

  test("that is hidden is backed up", async () => {
    const kit = await aPlan();
    const { ids } = await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "personmetadata", count: 2 });
    await kit.open();

    await kit.planOn();

    expect((await kit.outcome()).ids).toEqual(expect.arrayContaining(ids));
  });
});
