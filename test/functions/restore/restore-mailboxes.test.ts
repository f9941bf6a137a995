import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { findRestorePlacesActivity } from "../../../functions/restore/find-restore-places.activity.ts";
import { restoreInTurn } from "../../../functions/restore/restore-in-turn.orchestrator.ts";
import {
  findRestorePlaces,
  type ListedRestore,
  type RestoreInTurnInput,
  takeRestore,
} from "../../../functions/restore/restore-list.contract.ts";
import { keepRestoreList } from "../../../functions/restore/restore-list-state.ts";
import { restoreMailboxes } from "../../../functions/restore/restore-mailboxes.orchestrator.ts";
import { NO_ITEMS } from "../../../functions/restore/restored-items.steps.ts";
import { takeRestoreActivity } from "../../../functions/restore/take-restore.activity.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { OrchestratorFailedError, runOrchestrator, runToEnd } from "../../support/run-orchestrator.ts";
import { aFakeHub } from "../fake-hub.ts";
import { deliver } from "../kit.ts";
import { aListed, aListId, aPlan, aResult, NONE } from "./a-list.ts";

const done = { ...NONE, complete: 1, items: { ...NO_ITEMS, planned: 5, imported: 5, bytes: 50 } };

describe("restore-mailboxes", () => {
  const list = (mailboxes: number, place: (input: RestoreInTurnInput) => unknown = () => done) =>
    runToEnd(restoreMailboxes, {
      input: { listId: aListId, restores: 9, mailboxes, window: 3 },
      retries: false,
      activities: {
        "find-restore-places": ({ places }: { places: number }) => ({
          turns: Array.from({ length: places }, () => ({ turn: 0, outcomes: NONE })),
        }),
      },
      orchestrators: { "restore-in-turn": place },
    });

  test("starts a place for each mailbox of its window, and returns the sum of their outcomes", async () => {
    const { calls: all, output, customStatuses } = await list(7);
    const calls = all.filter(({ name }) => name === "restore-in-turn");

    expect(calls.map(({ instanceId }) => instanceId)).toEqual(
      [0, 1, 2].map((place) => `restores-${aListId}-place-${place}`),
    );
    expect(calls[1]?.input).toEqual({ listId: aListId, place: 1, turn: 0, outcomes: NONE });
    expect(output).toEqual({ ...NONE, complete: 3, items: { ...NO_ITEMS, planned: 15, imported: 15, bytes: 150 } });
    expect(customStatuses).toEqual([
      { phase: "restoring", restores: 9, mailboxes: 7, places: 3 },
      { phase: "done", restores: 9, mailboxes: 7, places: 0 },
    ]);
  });

  test("has no more places than mailboxes to restore into", async () => {
    expect((await list(2)).calls.filter(({ name }) => name === "restore-in-turn")).toHaveLength(2);
  });

  test("has twenty failures at most, and counts all", async () => {
    const failures = Array.from({ length: 12 }, (_, n) => ({ job: `restore-${n}`, reason: "no right" }));
    const { output } = await list(2, () => ({ ...NONE, failed: 12, failures }));

    expect(output).toMatchObject({ failed: 24, failures: [...failures, ...failures.slice(0, 8)] });
  });

  test("fails when a place fails", async () => {
    const broken = () => {
      throw new Error("the list is lost");
    };

    await expect(list(2, broken)).rejects.toThrow(OrchestratorFailedError);
  });
});

describe("restore-mailboxes, of a list that is not looked up yet", () => {
  const input = { listId: aListId, restores: 120, window: 3 };
  /** Its generations while it is looked up. */
  const resolving = async (activities: Record<string, (asked: never) => unknown>, start: object = input) => {
    const stubs: Parameters<typeof runToEnd>[1] = {
      input: start,
      retries: false,
      activities: {
        "read-wish": () => ({ wish: "go-on" }),
        "resolve-restores": ({ from }: { from: number }) => ({ next: Math.min(120, from + 50) }),
        "arrange-restores": () => ({ mailboxes: 7 }),
        ...activities,
      },
    };
    const isResolved = (next: unknown) => (next as { resolving?: object } | undefined)?.resolving === undefined;
    const { calls, ...run } = await runToEnd(restoreMailboxes, stubs, isResolved);
    return { ...run, calls: calls.filter(({ name }) => name !== "read-wish") };
  };

  test("looks its restores up page by page, and goes on with their order in a new generation", async () => {
    const { calls, continuedAs, customStatuses } = await resolving({});

    expect(calls.map(({ name, input: asked }) => [name, (asked as { from?: number }).from])).toEqual([
      ["resolve-restores", 0],
      ["resolve-restores", 50],
      ["resolve-restores", 100],
      ["arrange-restores", undefined],
    ]);
    expect(continuedAs).toEqual({ ...input, mailboxes: 7 });
    const status = { phase: "resolving", restores: 120, mailboxes: 0, places: 0 };
    expect(customStatuses).toEqual([0, 50, 100, 120].map((resolved) => ({ ...status, resolved })));
  });

  test("fails when some cannot start, and says which: nothing has begun", async () => {
    const problem = { type: "/problems/mailbox-not-found", title: "mailbox not found", status: 404, detail: "None." };
    const refusal = { refused: [{ position: 4, ...problem }], count: 1 };
    const failed = (await resolving({ "arrange-restores": () => refusal }).catch(
      (error: unknown) => error,
    )) as OrchestratorFailedError;

    expect(failed.message).toContain("list-refused: nothing was started, since 1 of 120 restores cannot start");
    expect(failed.run.customStatuses.at(-1)).toMatchObject({ phase: "refused", restores: 120, result: refusal });
    expect(failed.run.calls.map(({ name }) => name)).not.toContain("restore-in-turn");
  });

  test("waits while Graph or storage is away, longer each time and as long as asked, over generations", async () => {
    let asked = 0;
    const { calls, continuedAs, timers, customStatuses, generations } = await resolving({
      "resolve-restores": () => {
        asked += 1;
        return asked > 30 ? { next: 120 } : { awayMs: 60_000 };
      },
    });

    expect([calls.length, generations]).toEqual([32, 31]);
    expect(timers.slice(0, 6)).toEqual([61_000, 61_000, 61_000, 61_000, 80_000, 160_000]);
    const waiting = { for: "service", until: "2026-11-22T01:01:01.000Z" };
    expect(customStatuses).toContainEqual(expect.objectContaining({ phase: "resolving", waiting }));
    expect(continuedAs).toEqual({ ...input, mailboxes: 7 });
  });

  test("starts nothing when it is cancelled meanwhile", async () => {
    const { calls, output } = await resolving({ "read-wish": () => ({ wish: "cancel" }) });

    expect(output).toEqual({ ...NONE, stopped: { reason: "cancelled" } });
    expect(calls).toEqual([]);
  });
});

describe("restore-in-turn", () => {
  const input: RestoreInTurnInput = { listId: aListId, place: 2, turn: 0, outcomes: NONE };

  /** One place that works through a list alone. Its restores return what `end` returns. */
  const inTurn = async (
    restores: readonly (readonly ListedRestore[])[],
    end: (restore: ListedRestore) => unknown,
    start: RestoreInTurnInput = input,
  ) => {
    const work = memoryBlobs();
    await keepRestoreList(
      work,
      aListId,
      restores.map((queue) => [...queue]),
    );
    const take = takeRestoreActivity({ ...aFakeHub(), work, state: memoryBlobs() });
    const { calls, ...run } = await runOrchestrator(restoreInTurn, {
      input: start,
      retries: false,
      activities: {
        "read-wish": () => ({ wish: "go-on" }),
        "take-restore": (asked: z.input<typeof takeRestore.input>) => deliver(take, takeRestore, asked),
      },
      orchestrators: { "restore-mailbox": end },
    });
    return { ...run, calls: calls.filter(({ name }) => name !== "read-wish") };
  };

  test("runs one restore after the other, each as a job of its own, until none is left", async () => {
    const { calls, output } = await inTurn([[aListed(0), aListed(1)], [aListed(2)]], () => aResult());

    expect(calls.map(({ name, instanceId }) => instanceId ?? name)).toEqual([
      ...["take-restore", `restore-${aListed(0).restoreId}`],
      ...["take-restore", `restore-${aListed(1).restoreId}`],
      ...["take-restore", `restore-${aListed(2).restoreId}`],
      "take-restore",
    ]);
    expect(calls[1]?.input).toEqual({ ...aListed(0), partOf: `restores-${aListId}` });
    expect(calls.map((call) => (call.input as { turn?: number }).turn).filter((turn) => turn !== undefined)).toEqual([
      0, 1, 2, 3,
    ]);
    expect(output).toEqual({
      ...NONE,
      complete: 3,
      items: { ...NO_ITEMS, planned: 15, imported: 15, present: 6, bytes: 150 },
    });
  });

  test("counts a restore that fails, and one with items that did not come back, and goes on", async () => {
    const { output, customStatuses } = await inTurn([[aListed(0)], [aListed(1)], [aListed(2)]], ({ restoreId }) => {
      if (restoreId === aListed(0).restoreId) throw new Error("no right to this mailbox");
      return restoreId === aListed(1).restoreId ? aResult({ imported: 3, failed: 1, missing: 1 }) : aResult();
    });

    const reason = "Orchestrator function 'restore-mailbox' failed: no right to this mailbox";
    const failures = [{ job: `restore-${aListed(0).restoreId}`, reason }];
    const items = {
      planned: 10,
      imported: 8,
      replaced: 0,
      present: 4,
      ambiguous: 0,
      failed: 1,
      missing: 1,
      bytes: 100,
      surplus: 0,
    };
    expect(output).toEqual({ complete: 1, partial: 1, failed: 1, failures, items });
    expect(customStatuses).toContainEqual(
      expect.objectContaining({ failed: 1, running: `restore-${aListed(1).restoreId}` }),
    );
    expect(customStatuses.at(-1)).toEqual({ complete: 1, partial: 1, failed: 1, items });
  });

  test("counts the planned items of dry runs", async () => {
    const { output } = await inTurn([[aListed(0, { dryRun: true })]], () => aPlan);

    expect(output).toEqual({ ...NONE, complete: 1, items: { ...NO_ITEMS, planned: 7, present: 2, bytes: 70 } });
  });

  test("goes on from its position in a new generation after twenty restores", async () => {
    const many = Array.from({ length: 25 }, (_, n) =>
      aListed(0, { restoreId: `20261122T0900${String(n).padStart(2, "0")}Z-abc234` }),
    );

    const { calls, continuedAs } = await inTurn([many], () => aResult());

    expect(calls).toHaveLength(40);
    expect(continuedAs).toMatchObject({
      place: 2,
      turn: 20,
      at: { mailbox: 0, restore: 19 },
      outcomes: { complete: 20 },
    });
  });
});

describe("a place of a list that was lost and begins again", () => {
  const aTaker = async (instances: Parameters<typeof aFakeHub>[0] = {}) => {
    const work = memoryBlobs();
    await keepRestoreList(work, aListId, [[aListed(0), aListed(1)], [aListed(2)]]);
    const handler = takeRestoreActivity({ ...aFakeHub(instances), work, state: work });
    const take = (turn: number, more: object = {}) =>
      deliver(handler, takeRestore, {
        listId: aListId,
        place: 0,
        turn,
        outcomes: { ...NONE, complete: turn },
        ...more,
      });
    return { take, work };
  };

  test("begins where it was", async () => {
    const { take, work } = await aTaker();
    await take(0);
    await take(1, { at: { mailbox: 0, restore: 0 } });
    // A late delivery of an earlier turn.
    await take(0);

    const found = await deliver(findRestorePlacesActivity({ work }), findRestorePlaces, { listId: aListId, places: 2 });
    expect(found.turns).toEqual([
      { turn: 1, at: { mailbox: 0, restore: 0 }, outcomes: { ...NONE, complete: 1 } },
      { turn: 0, outcomes: NONE },
    ]);
  });

  test("waits for the restore that it had begun, which a second start would take the place of", async () => {
    const { take } = await aTaker({ [`restore-${aListed(0).restoreId}`]: { runtimeStatus: "Running" } });

    expect(await take(0)).toEqual({ isAlive: true });
  });

  test("goes on from there, and counts what it had done", async () => {
    const answers: object[] = [
      { isAlive: true },
      { taken: { restore: aListed(2), at: { mailbox: 1, restore: 0 } } },
      {},
    ];
    const { output } = await runToEnd(restoreInTurn, {
      input: { listId: aListId, place: 0, turn: 3, outcomes: { ...NONE, complete: 3 } },
      activities: { "take-restore": () => answers.shift() },
      orchestrators: { "restore-mailbox": () => aResult() },
    });

    expect(output).toMatchObject({ complete: 4 });
  });

  test("is filled again by its list, some times, when it fails", async () => {
    const fill = (failures: number) => {
      let places = 0;
      return runToEnd(restoreMailboxes, {
        input: { listId: aListId, restores: 1, mailboxes: 1, window: 1 },
        activities: { "find-restore-places": () => ({ turns: [{ turn: 0, outcomes: NONE }] }) },
        orchestrators: {
          "restore-in-turn": () => {
            places += 1;
            if (places <= failures) throw new Error("node exited with code 137");
            return { ...NONE, complete: 1 };
          },
        },
      });
    };

    expect((await fill(3)).output).toMatchObject({ complete: 1 });
    await expect(fill(4)).rejects.toThrow("exited with code 137");
  });
});
