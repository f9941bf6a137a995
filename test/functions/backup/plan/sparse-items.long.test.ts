import { describe, expect, test } from "vitest";
import type { FaultRule } from "../../../../local/graph/faults.ts";
import type { Behaviours } from "../../../../local/graph/settings.ts";
import { foldSnapshot } from "../../../../shared/vault/fold.ts";
import { all } from "../../../shared/vault/samples.ts";
import { afterABackup, aPlan, ITEMS, idsIn, type PlanKit, planInto, SMALL_PAGES } from "./a-plan.ts";

const SPARSE = ["id", "version", "changed"] as const satisfies readonly Behaviours["deltaItemsShow"][];

/** What the newest snapshot knows of each item of the inbox. */
const stored = async (kit: PlanKit, snapshotId: string) =>
  (await all(foldSnapshot(kit.vault, kit.mailbox.key, snapshotId, ({ folderId }) => folderId === kit.inbox))).map(
    ({ id, changeKey, type, sizeBytes, created, modified, subject, searchKey }) => ({
      id,
      changeKey,
      type,
      sizeBytes,
      created,
      modified,
      subject,
      searchKey,
    }),
  );

const expectAllKnown = async (kit: PlanKit, snapshotId: string): Promise<void> => {
  for (const item of await stored(kit, snapshotId))
    for (const [fact, value] of Object.entries(item)) expect({ fact, value }).not.toEqual({ fact, value: undefined });
};

describe.each(SPARSE)("a delta that shows of an item no more than %s", (deltaItemsShow) => {
  test("leaves nothing unknown of what is stored, in the first run or a later one", async () => {
    const kit = await aPlan({ items: 30 }, { deltaItemsShow });
    const { planned } = await afterABackup(kit);

    const { snapshotId, totals, state } = await kit.backUp();

    expect(totals).toMatchObject({ planned: planned.length, removed: 1 });
    expect(state).toBe("complete");
    await expectAllKnown(kit, snapshotId);
  });

  test("leaves nothing unknown of many items either, where Graph refuses to list them", async () => {
    const kit = await aPlan({ items: 30 }, { deltaItemsShow });
    await kit.backUp();
    const changed = (await idsIn(kit)).slice(0, 12);
    for (const item of changed) await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item, subject: "New" });
    await kit.fault({ kind: "status", endpoint: "items", status: 400 });

    const { snapshotId, totals } = await kit.backUp();

    expect(totals).toMatchObject({ exported: changed.length });
    await expectAllKnown(kit, snapshotId);
  });

  test("hides no change between the listing and the delta round of a folder", async () => {
    const kit = await aPlan({ items: ITEMS }, { deltaItemsShow, ...SMALL_PAGES });
    await kit.open();
    const next = await planInto(kit, "list");
    const listed = (await kit.outcome()).ids.slice(0, 3);
    for (const item of listed) await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item, subject: "New" });

    await kit.planOn(next);

    const { planned, inboxLink } = await kit.outcome();
    for (const item of listed) expect(planned.filter(({ id }) => id === item)).toHaveLength(2);
    expect(planned).toHaveLength(ITEMS + listed.length);
    expect(inboxLink).toBeDefined();
  });
});

describe("an item that Graph does not let look up", () => {
  test("is stored, and what is unknown of it is not made up", async () => {
    const kit = await aPlan({ items: 30 });
    await kit.backUp();
    await kit.admin.settings({ behaviours: { deltaItemsShow: "id" } });
    const [changed = ""] = (await kit.items()).map(({ id }) => id);
    await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: changed, subject: "New" });
    for (const endpoint of ["item", "items"]) await kit.fault({ kind: "status", endpoint, status: 400 } as FaultRule);

    const { snapshotId, totals } = await kit.backUp();

    const record = (await stored(kit, snapshotId)).find(({ id }) => id === changed);
    expect(totals).toMatchObject({ exported: 1, failed: 0 });
    expect(record).toMatchObject({ type: undefined, created: undefined, modified: undefined, sizeBytes: undefined });
  });
});

test("many items to retry are planned chunk by chunk, and no chunk carries the rest", async () => {
  const kit = await aPlan({ items: 1_200 });
  await kit.fault({ kind: "export-item", outcome: "error", code: "ErrorSomethingNew" } as FaultRule);
  const first = await kit.backUp();
  await kit.open();

  await kit.plan();

  const { chunks, planned } = await kit.outcome();
  expect(first.totals.failed).toBe(1_200);
  expect(planned).toHaveLength(1_200);
  expect(chunks.flatMap(({ next }) => next?.carry ?? [])).toEqual([]);
});
