import { describe, expect, test } from "vitest";
import { emptyCatalogue } from "../../../../functions/backup/plan/catalogue.ts";
import { folderPlans, nothingPlanned } from "../../../../functions/backup/plan/folder-plans.ts";
import { cursorAt } from "../../../../functions/backup/plan/folder-step.ts";
import { planner } from "../../../../functions/backup/plan/planner.ts";
import { aGraph } from "../../../shared/graph/a-graph.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aRun } from "../../kit.ts";
import { afterABackup, aPlan, expectEachOnce, ITEMS, idsIn, planInto, SMALL_PAGES } from "./a-plan.ts";

const EXPIRIES = ["sync-state-not-found", "location", "resync-required"] as const;

describe.each(EXPIRIES)("a delta token that Graph no longer accepts (%s)", (deltaExpiry) => {
  test("as a folder's deltaLink: the folder is listed and compared, and only what differs is planned", async () => {
    const kit = await aPlan({}, { deltaExpiry });
    const { planned, removed } = await afterABackup(kit);
    await kit.admin["expire-delta"]({ mailbox: kit.mailbox.id });

    await kit.open();
    await kit.planOn();

    expect(await kit.outcome()).toMatchObject({ ids: planned, removed, inboxLink: expect.any(String) });
  });

  test("as a nextLink amid a first round: the round begins anew, and nothing is planned twice", async () => {
    const kit = await aPlan({ items: ITEMS }, { ...SMALL_PAGES, deltaExpiry });
    await kit.open();
    const next = await planInto(kit, "delta");
    await kit.admin["expire-delta"]({ mailbox: kit.mailbox.id });

    await kit.planOn(next);

    await expectEachOnce(kit);
    expect((await kit.outcome()).removed).toEqual([]);
  });

  test("as a nextLink amid a later round: the folder is listed and compared", async () => {
    const kit = await aPlan({ items: ITEMS }, { ...SMALL_PAGES, deltaExpiry });
    await kit.backUp();
    const [removed, ...kept] = (await kit.items()).map(({ id }) => id);
    for (const item of kept) await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item, subject: "Changed" });
    await kit.open();
    const next = await planInto(kit, "changes");
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: removed ?? "" });
    await kit.admin["expire-delta"]({ mailbox: kit.mailbox.id });

    await kit.planOn(next);

    await expectEachOnce(kit);
    expect((await kit.outcome()).removed).toEqual([removed]);
  });
});

describe("a folder whose deltas fail", () => {
  test("because the mailbox is over its quota is planned from its listing, which shows removals too", async () => {
    const kit = await aPlan();
    const { planned, removed } = await afterABackup(kit);
    await kit.fault({ kind: "status", endpoint: "items-delta", status: 403, code: "ErrorQuotaExceeded" });

    await kit.open();
    await kit.planOn();

    expect(await kit.outcome()).toMatchObject({ ids: planned, removed, inboxLink: undefined });
  });

  test("because Graph loses their state each time is asked four times, and then planned from its listing", async () => {
    const kit = await aPlan();
    await kit.fault({ kind: "status", endpoint: "items-delta", status: 410, code: "syncStateNotFound" });
    await kit.open();

    await kit.plan();

    const { ids, versions, finished, folders, inboxLink } = await kit.outcome();
    expect({ ids, versions, inboxLink }).toEqual({ ids: await idsIn(kit), versions: 30, inboxLink: undefined });
    expect(finished).toEqual(folders);
    expect(await kit.asked("items-delta")).toBe(4 * folders.length);
  });

  test("because Graph is down fails planning, so that the task hub tries again", async () => {
    const kit = await aPlan();
    await kit.fault({ kind: "status", endpoint: "items-delta", status: 503, retryAfter: 0 });
    await kit.open();

    await expect(kit.plan()).rejects.toThrow("Graph answered 503");
  });
});

describe("a delta round", () => {
  const LEGAL = { deltaEmptyPages: true, deltaDuplicates: true, deltaReplays: true };

  test("with empty pages and entries that come twice plans each version once", async () => {
    const kit = await aPlan({ items: ITEMS }, { ...SMALL_PAGES, ...LEGAL });
    await kit.open();

    await kit.planOn();

    await expectEachOnce(kit);
  });

  test("that replays what the last one showed plans nothing", async () => {
    const kit = await aPlan({}, LEGAL);
    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 3 });
    await kit.backUp();
    await kit.open();

    await kit.planOn();

    expect(await kit.outcome()).toMatchObject({ ids: [], removed: [], inboxLink: expect.any(String) });
  });
});

describe("an item", () => {
  const amidListing = async () => {
    const kit = await aPlan({ items: ITEMS }, SMALL_PAGES);
    await kit.open();
    const next = await planInto(kit, "list");
    const listed = (await kit.outcome()).ids[0] ?? "";
    return { kit, next, listed };
  };

  test("that was listed and that delta does not show was removed", async () => {
    const { kit, next, listed } = await amidListing();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: listed });

    await kit.planOn(next);

    const { ids, removed } = await kit.outcome();
    expect(removed).toEqual([listed]);
    expect(ids.filter((id) => id !== listed)).toEqual(await idsIn(kit));
  });

  test("that changed between listing and delta is planned again, in its new version", async () => {
    const { kit, next, listed } = await amidListing();
    await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: listed, subject: "Newer" });

    await kit.planOn(next);

    const versions = (await kit.outcome()).planned.filter(({ id }) => id === listed);
    expect(versions.map(({ subject }) => subject)).toEqual([expect.not.stringMatching("Newer"), "Newer"]);
    expect(new Set(versions.map(({ changeKey }) => changeKey)).size).toBe(2);
  });

  test("that the listing passed over, because its window moved, is planned from delta", async () => {
    const { kit, next, listed } = await amidListing();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: listed });
    const passedOver = (await kit.items())[39]?.id ?? "";

    await kit.planOn(next);

    const { chunks, ids } = await kit.outcome();
    expect(ids).toContain(passedOver);
    const at = (phase: string) => chunks.findIndex((chunk) => chunk.next?.phase === phase);
    expect(chunks.findIndex(({ batches }) => batches.flat().some(({ id }) => id === passedOver))).toBeGreaterThan(
      at("list"),
    );
  });
});

test("a listing without an end costs nothing: the delta round shows every item too", async () => {
  const circle = { body: { value: [{ id: "1" }], "@odata.nextLink": "{origin}/v1.0/again" } };
  const delta = { body: { value: [{ id: "1" }, { id: "2" }], "@odata.deltaLink": "{origin}/v1.0/d" } };
  const refused = { status: 400, body: {} };
  const { client, origin } = await aGraph([circle, circle, circle, circle, delta, refused]);
  const folder = {
    id: "f",
    displayName: "f",
    path: "f",
    type: "IPF.Note",
    itemCount: 2,
    known: false,
    retry: [],
    lost: [],
  };
  const run = { mailbox: { id: "MBX:1@2", kind: "primary" }, runId: aRun, folders: [folder] } as const;
  const deps = { graphBehind: () => client, work: memoryBlobs() };
  const plans = folderPlans(deps, emptyCatalogue, run, nothingPlanned(), () => false);

  const chunk = await planner(plans, run.folders)(cursorAt(run.folders, 0, 0), 0);

  expect(chunk.batches.flat().map(({ id }) => id)).toEqual(["1", "2"]);
  expect(chunk).toMatchObject({ events: [], finished: [{ folderId: "f", deltaLink: `${origin}/v1.0/d` }] });
});
