import { describe, expect, test } from "vitest";
import { emptyCatalogue } from "../../../../functions/backup/plan/catalogue.ts";
import { folderPlans, nothingPlanned } from "../../../../functions/backup/plan/folder-plans.ts";
import { cursorAt } from "../../../../functions/backup/plan/folder-step.ts";
import { planner } from "../../../../functions/backup/plan/planner.ts";
import { semaphore } from "../../../../shared/graph/semaphore.ts";
import { type Answer, aGraph } from "../../../shared/graph/a-graph.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aRun } from "../../kit.ts";
import { aPlan, ITEMS, idsIn, type PlanKit, planInto, SMALL_PAGES } from "./a-plan.ts";

const NOT_FOUND = { status: 404, body: { error: { code: "ErrorItemNotFound", message: "" } } };
const times = (at: string) => ({ createdDateTime: at, lastModifiedDateTime: at });

const remove = (kit: PlanKit, item: string) => kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item });
const expire = (kit: PlanKit) => kit.admin["expire-delta"]({ mailbox: kit.mailbox.id });
const overQuota = { kind: "status", endpoint: "items-delta", status: 403, code: "ErrorQuotaExceeded" } as const;

/** A mailbox that was backed up, and whose deltaLinks Graph no longer accepts, so that its folders are compared. */
const aComparison = async (items = ITEMS) => {
  const kit = await aPlan({ items }, SMALL_PAGES);
  await kit.backUp();
  await expire(kit);
  await kit.open();
  return kit;
};

describe("what a round showed counts in that round alone", () => {
  test("a listing in place of a lost round shows everything again, also to a planner elsewhere", async () => {
    const kit = await aPlan({ items: 2 * ITEMS }, SMALL_PAGES);
    await kit.fault(overQuota);
    await kit.open();

    await kit.planOn();

    expect((await kit.outcome()).removed).toEqual([]);
    expect((await kit.outcome()).ids).toEqual(await idsIn(kit));
  });

  test.each(["the same process", "another process"])(
    "an item that a lost delta round had shown, and that is gone, is removed by the next one (%s)",
    async (where) => {
      const kit = await aComparison();
      const next = await planInto(kit, "delta");
      const [shown = ""] = (await kit.items()).map(({ id }) => id);
      await remove(kit, shown);
      await expire(kit);

      await (where === "another process" ? kit.planOn(next) : kit.plan(next));

      expect(await kit.outcome()).toMatchObject({ removed: [shown], inboxLink: expect.any(String) });
    },
  );
});

describe("an item that a whole round does not show", () => {
  test("is removed only if its look-up does not find it: items that a listing skipped stay", async () => {
    const kit = await aComparison();
    await kit.fault(overQuota);
    let next = 0;
    for (let amid = false; !amid; next += 1) {
      await kit.plan(next, 1);
      const { chunks, folders } = await kit.outcome();
      const cursor = chunks.at(-1)?.next;
      amid = cursor?.listOnly === true && cursor.link !== undefined && folders[cursor.folder] === kit.inbox;
    }
    // A page begins behind a number of items, so those that follow the removed ones slip in front of the next page. The
    // removed ones were shown before; the next run, which has no deltaLink, lists the folder and misses them.
    for (const { id } of (await kit.items()).slice(0, 4)) await remove(kit, id);

    await kit.planOn(next);

    expect(await kit.outcome()).toMatchObject({ removed: [], inboxLink: undefined });
    expect(await kit.asked("item")).toBe(4);
  });

  const listed = { id: "new", changeKey: "1", type: "IPM.Note", size: 1, ...times("2026-11-22T00:59:59Z") };
  const folder = { id: "in", displayName: "Inbox", path: "Inbox", type: "IPF.Note", itemCount: 1 };
  const run = {
    mailbox: { id: "MBX:1@2", kind: "primary" } as const,
    runId: aRun,
    folders: [{ ...folder, known: false, retry: [], lost: [] }],
  };

  /** Plans a folder whose listing shows an item and whose delta, which is behind, does not; then come these answers. */
  const planned = async (...lookedUp: readonly Answer[]) => {
    const round = { body: { value: [], "@odata.deltaLink": "{origin}/delta" } };
    const { client, asked } = await aGraph([{ body: { value: [listed] } }, round, ...lookedUp], {
      slots: semaphore(1),
    });
    const deps = { graphBehind: () => client, work: memoryBlobs() };
    const plans = folderPlans(deps, emptyCatalogue, run, nothingPlanned(), () => false);
    const chunk = await planner(plans, run.folders)(cursorAt(run.folders, 0, 0), 0);
    return { chunk, asked };
  };

  test("stays, and is planned in its version of now, when the look-up finds it", async () => {
    const changed = { ...listed, changeKey: "2" };
    const { chunk } = await planned({ body: changed });

    expect(chunk.batches.flat()).toMatchObject([
      { id: "new", changeKey: "1" },
      { id: "new", changeKey: "2" },
    ]);
    expect(chunk).toMatchObject({ events: [], finished: [{ folderId: "in", deltaLink: expect.any(String) }] });
  });

  test("was removed when the look-up does not find it in a folder that is there", async () => {
    const { chunk } = await planned(NOT_FOUND, { body: folder });

    expect(chunk.events).toEqual([{ op: "removed", id: "new", folderId: "in", reason: "deleted" }]);
  });

  test("stays when its folder is gone: the next run finds the folder no more", async () => {
    const { chunk } = await planned(NOT_FOUND, NOT_FOUND, { body: { value: [] } });

    expect(chunk.events).toEqual([]);
  });

  test.each([
    ["a refusal", { status: 400, body: { error: { code: "ErrorInternal", message: "" } } }],
    ["an answer without an id", { status: 200, body: { changeKey: "2" } }],
  ])("stays when the look-up has no clear answer: %s; and the next run lists the folder again", async (_, answer) => {
    const { chunk } = await planned(answer);

    expect(chunk.events).toEqual([]);
    expect(chunk.finished).toEqual([{ folderId: "in", listed: true }]);
  });
});
