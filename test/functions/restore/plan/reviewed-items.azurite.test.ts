import { describe, expect, test } from "vitest";
import { keepSelection } from "../../../../functions/restore/restore-state.ts";
import { readHead } from "../../../../shared/vault/snapshots.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore, plannedChunks } from "../a-restore.ts";

type Overrides = Parameters<Awaited<ReturnType<typeof aRestore>>["plan"]>[0];

const later = "20261122T093000Z-abc777";

/** A mailbox that lost `lost` of the six items of its inbox, and a dry run of bringing them back that was reviewed. */
const aReviewedPlan = async ({ lost = 6, ...overrides }: { lost?: number } & Overrides = {}) => {
  const kit = await aRestore();
  const items = await kit.items();
  const streams: string[] = [];
  for (const { id } of items) streams.push(await kit.exportOne(id));
  const remove = (item: string) => kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item });
  for (const { id } of items.slice(0, lost)) await remove(id);
  const reviewed = await kit.plan(overrides);

  /** Items come back in another way: by another restore, or by hand. */
  const comeBack = async (from: number, to: number) => {
    const FolderId = await kit.folderId();
    for (const Data of streams.slice(from, to))
      await kit.ask(await kit.importUrl(), { body: { FolderId, Mode: "create", Data }, token: "" });
  };
  const carryOut = () => kit.plan({ ...overrides, restoreId: later, planOf: aRestoreId });
  const planned = async (restoreId: string) => (await plannedChunks(kit, restoreId)).flat();
  return { ...kit, items, remove, reviewed, comeBack, carryOut, planned };
};

describe("a plan that is carried out later", () => {
  test("imports what was reviewed, when nothing has changed", async () => {
    const { carryOut, reviewed, planned } = await aReviewedPlan();

    const { secondsPerRequest: _, expectedSeconds: __, ...same } = reviewed;
    expect(await carryOut()).toMatchObject(same);
    expect(await planned(later)).toEqual(await planned(aRestoreId));
  });

  test("leaves out what came back meanwhile, and counts it as present", async () => {
    const { carryOut, comeBack, planned, items } = await aReviewedPlan();
    await comeBack(0, 4);

    expect(await carryOut()).toMatchObject({ items: 2, present: 4 });
    const ids = (await planned(later)).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(
      items
        .slice(4)
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  test("imports nothing when all of it came back", async () => {
    const { carryOut, comeBack } = await aReviewedPlan();
    await comeBack(0, 6);

    expect(await carryOut()).toMatchObject({ items: 0, chunks: 0, present: 6 });
  });

  test("does not bring back what went away after the review", async () => {
    const { carryOut, remove, items, planned } = await aReviewedPlan({ lost: 2 });
    await remove(items[5]?.id ?? "");

    expect(await carryOut()).toMatchObject({ items: 2, present: 3 });
    expect(await planned(later)).toEqual(await planned(aRestoreId));
  });

  test("counts copies: one of two that are there is not taken for the other", async () => {
    const kit = await aRestore({ items: 1 });
    const [only] = await kit.items();
    const stream = await kit.exportOne(only?.id ?? "");
    const body = { FolderId: await kit.folderId(), Mode: "create", Data: stream };
    const addCopy = async () => kit.ask(await kit.importUrl(), { body, token: "" });
    await addCopy();
    await kit.backUp();
    const snapshotId = (await readHead(kit.vault, kit.mailbox.key))?.newest?.id ?? "";
    const [first] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: first?.id ?? "" });
    expect(await kit.plan({ snapshotId })).toMatchObject({ items: 1, present: 1 });

    const carried = { snapshotId, planOf: aRestoreId };
    expect(await kit.plan({ ...carried, restoreId: later })).toMatchObject({ items: 1, present: 1 });
    await addCopy();
    expect(await kit.plan({ ...carried, restoreId: "20261122T093000Z-abc776" })).toMatchObject({
      items: 0,
      present: 2,
    });
  });

  test("replaces only what was to be replaced, in the version that was reviewed", async () => {
    const { carryOut, admin, mailbox, items, planned, comeBack } = await aReviewedPlan({
      lost: 1,
      onConflict: "replace",
    });
    expect(await planned(aRestoreId)).toHaveLength(1);
    await comeBack(0, 1);
    await admin["change-item"]({ mailbox: mailbox.id, item: items[5]?.id ?? "", subject: "changed after the review" });

    expect(await carryOut()).toMatchObject({ items: 0, replaced: 0, present: 6 });
  });

  test("replaces a copy in the version that was reviewed, which Exchange then compares", async () => {
    const kit = await aRestore();
    const [changed] = await kit.items();
    const change = (subject: string) =>
      kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: changed?.id ?? "", subject });
    await change("before the review");
    const replace = { onConflict: "replace" } as const;
    expect(await kit.plan(replace)).toMatchObject({ items: 1, replaced: 1, present: 5 });
    const [reviewed] = (await plannedChunks(kit)).flat();
    await change("after the review");

    expect(await kit.plan({ ...replace, restoreId: later, planOf: aRestoreId })).toMatchObject({
      items: 1,
      replaced: 1,
    });
    expect((await plannedChunks(kit, later)).flat()).toEqual([reviewed]);
  });

  test("finds the selection that the dry run kept", async () => {
    const select = { folders: ["Inbox"] };
    const kit = await aRestore();
    const kept = await keepSelection(kit.work, aRestoreId, select);
    await kit.plan({ select: kept });

    expect(await kit.plan({ select: kept, restoreId: later, planOf: aRestoreId })).toMatchObject({ present: 6 });
  });
});
