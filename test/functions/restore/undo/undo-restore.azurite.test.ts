import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { makeWish } from "../../../../functions/jobs/wishes.ts";
import { ledgerName } from "../../../../functions/restore/restore-state.ts";
import { takeTarget } from "../../../../functions/restore/target/target-lease.ts";
import type { UndoLedgers } from "../../../../functions/restore/undo/undo-ledger.ts";
import { findUndoReport } from "../../../../functions/restore/undo/undo-report.ts";
import { settledItems } from "../../../../functions/restore/upload/ledger.ts";
import { undoInstance } from "../../../../shared/contracts/job-ids.ts";
import type { OpenGraph } from "../../../../shared/graph/graph-client.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestoreToUndo, meddle, undoIdOf } from "./an-undo.ts";

const NOTHING = {
  deleted: 0,
  changed: 0,
  alreadyGone: 0,
  replaced: 0,
  ambiguous: 0,
  notPermitted: 0,
  refused: 0,
};

/** Ledgers of a process that dies at an append, before it is written or after. */
const dyingLedgers = (ledgers: UndoLedgers, appends: number, when: "before" | "after"): UndoLedgers => {
  let left = appends;
  return {
    ...ledgers,
    open: async (name) => {
      const ledger = await ledgers.open(name);
      return {
        ...ledger,
        append: async (entries) => {
          left -= 1;
          if (left >= 0 || when === "after") await ledger.append(entries);
          if (left < 0) throw new Error("killed");
        },
      };
    },
  };
};

describe("undoing a restore into a folder of its own", () => {
  test.each(["away", "deleted-items"])("removes that folder with today's rights, which then goes %s", async (where) => {
    const kit = await aRestoreToUndo({ behaviours: { deletedFoldersGo: where } });
    const inbox = await kit.inbox();

    expect(await kit.undo()).toEqual({ ...NOTHING, deleted: 6, folder: "removed" });

    const left = (await kit.admin.folders({ mailbox: kit.mailbox.id })).find(({ id }) => id === kit.topId);
    const deleted = (await kit.admin.folders({ mailbox: kit.mailbox.id })).find(
      ({ wellKnownName }) => wellKnownName === "deleteditems",
    );
    expect(left?.parentId).toBe(where === "away" ? undefined : deleted?.id);
    expect(await kit.inbox()).toEqual(inbox);
    expect(await kit.undoReport()).toMatchObject({
      dryRun: false,
      counts: { deleted: 6, folder: "removed" },
      folder: { outcome: "removed", strangeItems: 0, changedItems: 0, strangeFolders: 0 },
    });
    expect((await kit.admin.counters({})).violations).toEqual([]);
  });

  test("by a dry run reports the same, and removes nothing", async () => {
    const kit = await aRestoreToUndo();
    const folders = await kit.newFolders();

    expect(await kit.undo({ dryRun: true })).toEqual({ ...NOTHING, deleted: 6, folder: "removable" });

    expect(await kit.newFolders()).toEqual(folders);
    expect(await kit.restored()).toHaveLength(6);
    expect(await kit.undoReport()).toMatchObject({ dryRun: true, counts: { deleted: 6 } });
  });

  test("keeps the folder for what a person did in it, and deletes the rest where it may", async () => {
    const kit = await aRestoreToUndo({ isPermitted: true });
    const { changed, own, movedTo } = await meddle(kit);

    const counts = { ...NOTHING, deleted: 3, changed: 1, alreadyGone: 2, folder: "kept" as const };
    expect(await kit.undo({ undoId: undoIdOf(1), dryRun: true })).toEqual(counts);
    expect(await kit.restored()).toHaveLength(5);
    expect(await kit.undo()).toEqual(counts);

    expect((await kit.restored()).map(({ id }) => id).toSorted()).toEqual([changed, own].toSorted());
    expect((await kit.items("sentitems")).map(({ id }) => id)).toContain(movedTo);
    const { folder, items } = await kit.undoReport();
    expect(folder).toMatchObject({ outcome: "kept", strangeItems: 1, changedItems: 1, strangeFolders: 0 });
    expect(folder?.lookAt.toSorted()).toEqual([changed, own].toSorted());
    expect(items.map(({ outcome }) => outcome).toSorted()).toEqual([
      ...["already-gone", "already-gone", "changed", "deleted", "deleted", "deleted"],
    ]);
  });

  test("keeps everything in it without the right to delete items, and says what to grant", async () => {
    const kit = await aRestoreToUndo();
    await meddle(kit);

    expect(await kit.undo()).toEqual({ ...NOTHING, changed: 1, alreadyGone: 2, notPermitted: 3, folder: "kept" });

    expect(await kit.restored()).toHaveLength(5);
    expect((await kit.undoReport()).needs).toMatchObject({
      permission: "MailboxItem.ReadWrite.All",
      setting: "RESTORE_UNDO_ITEMS",
    });
  });

  test("keeps it for a folder that somebody made below it", async () => {
    const kit = await aRestoreToUndo();
    const own = await kit.admin["create-folder"]({
      mailbox: kit.mailbox.id,
      parent: kit.restoredTo,
      displayName: "Mine",
    });

    expect(await kit.undo()).toMatchObject({ notPermitted: 6, folder: "kept" });

    expect((await kit.undoReport()).folder).toMatchObject({ strangeFolders: 1, lookAt: [own.id] });
    expect(await kit.newFolders()).toContain(own.id);
  });

  test.each(["deleted", "in Deleted Items"])("that somebody has %s finds everything already gone", async (where) => {
    const kit = await aRestoreToUndo();
    const of = { mailbox: kit.mailbox.id, folder: kit.topId };
    if (where === "deleted") await kit.admin["remove-folder"](of);
    else await kit.admin["change-folder"]({ ...of, parent: "deleteditems" });

    expect(await kit.undo()).toEqual({ ...NOTHING, alreadyGone: 6, folder: "already-gone" });
    expect((await kit.admin.counters({})).requests["delete-folder"] ?? 0).toBe(0);
  });

  test("follows the folder where somebody moved or renamed it", async () => {
    const kit = await aRestoreToUndo();
    await kit.admin["change-folder"]({
      mailbox: kit.mailbox.id,
      folder: kit.topId,
      parent: "archive",
      displayName: "Old",
    });

    expect(await kit.undo()).toMatchObject({ deleted: 6, folder: "removed" });
    expect(await kit.newFolders()).toEqual([]);
  });

  test("surveys again what changed while it looked, and leaves what goes on changing", async () => {
    const kit = await aRestoreToUndo();
    await kit.fault({
      kind: "meanwhile",
      endpoint: "items",
      count: 20,
      act: { act: "create", parent: kit.topId, displayName: "Growing" },
    });

    expect(await kit.undo()).toMatchObject({ folder: "kept" });
    expect(await kit.newFolders()).toContain(kit.topId);
  });
});

test("an item that somebody changes after it was surveyed keeps its folder", async () => {
  const kit = await aRestoreToUndo();
  const [changed] = await kit.restored();
  const change = { mailbox: kit.mailbox.id, item: changed?.id ?? "", subject: "by hand" };
  let isChanged = false;
  const graph: OpenGraph = (budget) => {
    const client = kit.openGraph(budget);
    return {
      ...client,
      json: async (request, schema) => {
        const answer = await client.json(request, schema);
        const isListing = request.operation === "GET items" && request.target.includes(kit.restoredTo);
        if (isListing && !isChanged) {
          isChanged = true;
          await kit.admin["change-item"](change);
        }
        return answer;
      },
    };
  };

  const result = await kit.undo({ instead: { "remove-restored-folder": kit.removalWith({ openGraph: graph }) } });

  expect(result).toEqual({ ...NOTHING, changed: 1, notPermitted: 5, folder: "kept" });
  expect(await kit.restored()).toHaveLength(6);
});

describe("undoing a restore among other items", () => {
  test("deletes what nobody changed, and nothing else", async () => {
    const kit = await aRestoreToUndo({ target: "original", isPermitted: true });
    const { changed, own, movedTo } = await meddle(kit);
    const elsewhere = (await kit.items("sentitems")).length;

    const counts = { ...NOTHING, deleted: 3, changed: 1, alreadyGone: 2 };
    expect(await kit.undo({ undoId: undoIdOf(1), dryRun: true })).toEqual(counts);
    expect(await kit.restored()).toHaveLength(5);
    expect(await kit.undo()).toEqual(counts);

    expect((await kit.restored()).map(({ id }) => id).toSorted()).toEqual([changed, own].toSorted());
    expect(await kit.items("sentitems")).toHaveLength(elsewhere);
    expect((await kit.items("sentitems")).map(({ id }) => id)).toContain(movedTo);
    expect((await kit.undoReport()).needs).toBeUndefined();
    expect((await kit.admin.counters({})).violations).toEqual([]);
  });

  test("deletes nothing without the right, lists what it would, and says what to grant", async () => {
    const kit = await aRestoreToUndo({ target: "original" });

    expect(await kit.undo()).toEqual({ ...NOTHING, notPermitted: 6 });

    expect(await kit.restored()).toHaveLength(6);
    const { needs, items } = await kit.undoReport();
    expect(needs).toMatchObject({ exchangeRole: "Application MailboxItem.ReadWrite", setting: "RESTORE_UNDO_ITEMS" });
    const live = (await kit.restored()).map(({ id }) => id).toSorted();
    expect(items.map(({ itemId }) => itemId ?? "").toSorted()).toEqual(live);
    expect((await kit.admin.counters({})).requests["delete-item"] ?? 0).toBe(0);
  });

  test("says what to grant, too, where the setting is on and Graph refuses", async () => {
    const kit = await aRestoreToUndo({ target: "original", mayDeleteItems: true });

    expect(await kit.undo()).toEqual({ ...NOTHING, refused: 6 });
    expect(await kit.undoReport()).toMatchObject({ needs: { permission: "MailboxItem.ReadWrite.All" } });
    expect((await kit.undoReport()).items[0]).toMatchObject({ outcome: "refused", code: "ErrorAccessDenied" });
  });

  test("goes by what the comparison saw where an import's answer told no version", async () => {
    const kit = await aRestoreToUndo({
      target: "original",
      isPermitted: true,
      behaviours: { importTellsChangeKey: false },
    });
    const [changed] = await kit.restored();
    await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: changed?.id ?? "", subject: "by hand" });

    expect(await kit.undo()).toEqual({ ...NOTHING, deleted: 5, changed: 1 });
  });

  test("keeps what it knows no version of, and what is another version, whoever made it", async () => {
    const untold = await aRestoreToUndo({
      ...{ target: "original", isPermitted: true, reconciles: false },
      behaviours: { importTellsChangeKey: false },
    });
    const movedOn = await aRestoreToUndo({
      ...{ target: "original", isPermitted: true },
      behaviours: { importedItemsMoveOn: true },
    });

    expect(await untold.undo()).toEqual({ ...NOTHING, changed: 6 });
    expect((await untold.undoReport()).items[0]?.code).toBe("version-unknown");
    expect(await movedOn.undo()).toEqual({ ...NOTHING, changed: 6 });
  });
});

test("what the restore replaced, or was not sure of, stays and is named", async () => {
  const kit = await aRestoreToUndo({ target: "original", isPermitted: true });
  const ledger = await kit.ledgers.open(ledgerName(aRestoreId, 0));
  const [replaced] = [...settledItems(ledger.entries).values()];
  await ledger.append([
    { op: "replaced", item: 0, itemId: replaced !== undefined && "itemId" in replaced ? replaced.itemId : "" },
    { op: "ambiguous", item: 1, code: "copy-may-be-older", lookAt: ["live-1"] },
    { op: "failed", item: 2, code: "no-answer" },
    { op: "failed", item: 3, code: "ErrorItemTooLarge" },
  ]);
  await ledger.close();

  const result = await kit.undo();

  expect(result).toEqual({ ...NOTHING, deleted: 2, replaced: 1, ambiguous: 2 });
  const left = (await kit.restored()).map(({ id }) => id);
  expect(left).toHaveLength(4);
  const { items } = await kit.undoReport();
  expect(items.filter(({ outcome }) => outcome !== "deleted")).toEqual([
    expect.objectContaining({ outcome: "replaced", itemId: expect.any(String) }),
    expect.objectContaining({ outcome: "ambiguous", code: "copy-may-be-older", lookAt: ["live-1"] }),
    expect.objectContaining({ outcome: "ambiguous", code: "no-answer", lookAt: [expect.any(String)] }),
  ]);
  expect(left).toContain(items.find(({ code }) => code === "no-answer")?.lookAt?.[0]);
});

test("a restore that ended before it imported anything leaves nothing to undo but its folders", async () => {
  const among = await aRestoreToUndo({ target: "original", isPermitted: true, isUploaded: false, reconciles: false });
  const own = await aRestoreToUndo({ isUploaded: false, reconciles: false });

  expect(await among.undo()).toEqual(NOTHING);
  expect(await own.undo()).toEqual({ ...NOTHING, folder: "removed" });
  expect(await own.newFolders()).toEqual([]);
});

test("an undo in a mailbox that is not there any more fails, and takes nothing for gone", async () => {
  const kit = await aRestoreToUndo({ target: "original", isPermitted: true });
  for (const endpoint of ["item", "folders"])
    await kit.fault({ kind: "status", endpoint, status: 404, code: "ErrorInvalidUser" });

  await expect(kit.undo()).rejects.toThrow("404 ErrorInvalidUser");
});

describe("an undo that is cut off", () => {
  test.each(["before", "after"] as const)("%s it noted something goes on, and counts its own", async (when) => {
    const kit = await aRestoreToUndo({ target: "original", items: 12, isPermitted: true });
    const deadly = kit.waveWith({ undoLedgers: dyingLedgers(kit.deps.undoLedgers, 3, when) });
    const killed = await kit.undo({ instead: { "undo-wave": deadly } }).catch((error: unknown) => error);
    expect(String(killed)).toContain("killed");
    const left = await kit.restored();
    expect(left.length).toBeLessThan(12);
    expect(left.length).toBeGreaterThan(0);

    expect(await kit.undo()).toEqual({ ...NOTHING, deleted: 12 });
    expect(await kit.restored()).toEqual([]);
  });

  test("after its folder went counts that as its own", async () => {
    const kit = await aRestoreToUndo();
    await kit
      .undo({
        instead: {
          "remove-restored-folder": async (input, real) => {
            await real["remove-restored-folder"](input);
            await kit.work.remove(`undo-${undoIdOf(0)}/folder.json`);
            throw new Error("killed");
          },
        },
      })
      .catch(() => undefined);
    expect(await kit.newFolders()).toEqual([]);

    expect(await kit.undo()).toEqual({ ...NOTHING, deleted: 6, folder: "removed" });
  });

  test("by an outage waits, and ends as if there had been none", async () => {
    const kit = await aRestoreToUndo({ target: "original", isPermitted: true });
    const away = { kind: "status", status: 503, retryAfter: "3600" } as const;
    await kit.fault({ ...away, endpoint: "delete-item", count: 3, after: 2 });
    await kit.fault({ ...away, endpoint: "folders", count: 2 });

    expect(await kit.undo()).toEqual({ ...NOTHING, deleted: 6 });
  });

  test("when it is delivered twice at once deletes each item once, four requests at a time", async () => {
    const kit = await aRestoreToUndo({ target: "original", items: 40, isPermitted: true, latencyMs: 10 });
    const twice = (name: keyof typeof kit.activities) => async (input: never) => {
      const run = kit.activities[name] as (input: never) => Promise<unknown>;
      const [first] = await Promise.all([run(input), run(input)]);
      return first;
    };

    const result = await kit.undo({
      instead: { "undo-wave": twice("undo-wave"), "report-undo": twice("report-undo") },
    });

    expect(result).toEqual({ ...NOTHING, deleted: 40 });
    const { requests, throttled } = await kit.admin.counters({});
    expect(requests["delete-item"]).toBe(40);
    expect(throttled).toMatchObject({ MailboxConcurrency: 0 });
  });
});

test.each([0, 5, 20, 60])("a folder that two deliveries remove at once, %i ms apart, counts as removed", async (ms) => {
  const kit = await aRestoreToUndo({ latencyMs: 5 });

  const result = await kit.undo({
    instead: {
      "remove-restored-folder": async (input, real) => {
        const deliver = real["remove-restored-folder"];
        const first = deliver(input);
        await delay(ms);
        const second = await deliver(input);
        await first;
        return second;
      },
    },
  });

  expect(result).toEqual({ ...NOTHING, deleted: 6, folder: "removed" });
});

describe("an undo that is cancelled", () => {
  test.each([true, false])(
    "reports what it did, and what it did not come to (told before it began: %s)",
    async (isEarly) => {
      const kit = await aRestoreToUndo({ target: "original", isPermitted: true, items: 30 });
      await kit.admin.settings({ latencyMs: 200 });
      const job = undoInstance(undoIdOf(0));
      const cancel = () => makeWish(kit.work, job, "cancel", new Date());
      if (isEarly) await cancel();
      const wave = async (input: never, real: typeof kit.activities) => {
        const running = real["undo-wave"](input);
        await delay(300);
        await cancel();
        return running;
      };
      const result = await kit.undo({ instead: { "undo-wave": wave } });

      const there = (await kit.restored()).length;
      expect(result).toMatchObject({ deleted: 30 - there, notExamined: there, stopped: { reason: "cancelled" } });
      expect(there).toBeGreaterThan(0);
      expect(there === 30).toBe(isEarly);
      const report = await findUndoReport(kit.work, undoIdOf(0));
      expect(report?.counts).toEqual(result);
      expect(report?.items.filter(({ outcome }) => outcome === "not-examined")).toHaveLength(there);
    },
  );
});

describe("an activity of an undo", () => {
  /** The wave, and the removal of the folder, each once, under a hold. */
  const aLateUndo = async (isWave: boolean) => {
    const kit = await aRestoreToUndo({ target: isWave ? "original" : "new-folder", isPermitted: true });
    const { key: mailboxKey } = kit.mailbox;
    const undo = { undoId: undoIdOf(0), restoreId: aRestoreId, mailbox: kit.mailbox, dryRun: false, budgetMs: 60_000 };
    const run = (hold: { holder: string; asking: string }): Promise<unknown> =>
      isWave
        ? kit.activities["undo-wave"]({ ...undo, hold, slots: 1, pending: [{ from: 0, to: 1 }], spent: [] })
        : kit.activities["remove-restored-folder"]({ ...undo, hold, survey: 0 });
    const hold = { holder: "job", asking: "first" };
    await kit.activities["share-slots"]({ ...hold, mailboxKey, user: "restore", wanted: 1, holdMs: 60_000 });
    const take = (restoreId: string) =>
      takeTarget(kit.work, mailboxKey, { restoreId, waits: true }, async () => "ended");
    return { ...kit, run, hold, take };
  };

  test.each([true, false])("does nothing in a mailbox that is another job's (a wave: %s)", async (isWave) => {
    const { run, hold, take, restored } = await aLateUndo(isWave);
    await take("20261122T093000Z-abc777");

    expect(await run(hold)).toMatchObject({ notHeld: true });
    expect(await restored()).toHaveLength(6);
    await take(undoIdOf(0));
    expect(await run(hold)).toMatchObject(isWave ? { deleted: 6, left: [] } : { outcome: "removed" });
  });

  test.each([true, false])("does nothing under a hold that has run out (a wave: %s)", async (isWave) => {
    const { run, hold, take, restored } = await aLateUndo(isWave);
    await take(undoIdOf(0));

    expect(await run({ ...hold, asking: "earlier" })).toMatchObject({ notHeld: true });
    expect(await restored()).toHaveLength(6);
  });
});

describe("an undo and other jobs", () => {
  test("have the mailbox one after the other", async () => {
    const kit = await aRestoreToUndo({ target: "original", isPermitted: true });
    const undos = [0, 1].map(undoIdOf);
    for (const undoId of undos) kit.hub.end(undoInstance(undoId), "Running");

    const [one, other] = await Promise.all(
      undos.map(async (undoId) => {
        const result = await kit.undo({ undoId });
        kit.hub.end(undoInstance(undoId));
        return result;
      }),
    );

    expect([one?.deleted, other?.deleted].toSorted()).toEqual([0, 6]);
    expect([one?.alreadyGone, other?.alreadyGone].toSorted()).toEqual([0, 6]);
    expect(await kit.restored()).toEqual([]);
  });
});
