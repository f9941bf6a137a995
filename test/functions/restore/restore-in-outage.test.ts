import { describe, expect, test } from "vitest";
import type * as z from "zod";
import type { RestoreMailboxInput, uploadWave } from "../../../functions/restore/restore.contract.ts";
import { restoreInTurn } from "../../../functions/restore/restore-in-turn.orchestrator.ts";
import { restoreMailbox } from "../../../functions/restore/restore-mailbox.orchestrator.ts";
import type { shareSlots } from "../../../functions/slots/slots.contract.ts";
import { type OrchestratorFailedError, runToEnd } from "../../support/run-orchestrator.ts";
import { aListed, aListId, aResult, NONE } from "./a-list.ts";
import { anOrder } from "./an-order.ts";

type Wave = z.output<typeof uploadWave.input>;
type Asking = z.output<typeof shareSlots.input>;

const input: RestoreMailboxInput = anOrder;
const plan = { items: 400, present: 3, bytes: 4_000, chunks: 8, folders: 2, foldersToCreate: 2, laneBudgetMs: 60_000 };
const result = { imported: 400, replaced: 0, present: 3, ambiguous: 0, failed: 0, missing: 0, bytes: 4_000 };
const NOTHING = { imported: 0, replaced: 0, ambiguous: 0, failed: 0, bytes: 0, sessionEnded: false, spent: [] };
const quiet = { ...NOTHING, elapsedMs: 1, throttled: 0, waitMs: 0 };
const away = ({ pending }: Wave) => ({ ...quiet, left: pending, away: true });
const done = () => ({ ...quiet, left: [], imported: 400 });

/** Calls the first stub so many times, then the other. */
const first = <T>(times: number, stub: (input: T) => unknown, then: (input: T) => unknown) => {
  let calls = 0;
  return (input: T) => {
    calls += 1;
    return calls > times ? then(input) : stub(input);
  };
};

const restore = (activities: Record<string, (input: never) => unknown> = {}, start: unknown = input) =>
  runToEnd(restoreMailbox, {
    input: start,
    retries: false,
    activities: {
      "read-wish": () => ({ wish: "go-on" }),
      "share-slots": (asking: Asking) => ({ granted: asking.wanted }),
      "plan-restore": () => plan,
      "ensure-folders": () => ({ created: 2 }),
      "create-import-session": () => ({ sealed: "sealed", expires: "2026-11-22T02:00:00.000Z" }),
      "upload-wave": done,
      "reconcile-restore": () => result,
      ...activities,
    },
  });

describe("restore-mailbox in an outage", () => {
  test.each(["plan-restore", "ensure-folders", "create-import-session", "reconcile-restore"])(
    "waits for %s, longer each time, and goes on",
    async (name) => {
      const answers: Record<string, () => unknown> = {
        "plan-restore": () => plan,
        "ensure-folders": () => ({ created: 2 }),
        "create-import-session": () => ({ sealed: "sealed", expires: "2026-11-22T02:00:00.000Z" }),
        "reconcile-restore": () => result,
      };
      const run = await restore({ [name]: first(4, () => ({ awayMs: 0 }), answers[name] ?? done) });

      expect(run.timers).toEqual([5_000, 10_000, 20_000, 40_000]);
      expect(run.output).toEqual(result);
    },
  );

  test("waits between waves up to 15 minutes, or as is asked, without slots, and shows until when", async () => {
    const asks = [0, 0, 1_200_000, 0, 0, 0, 0, 0, 0, 0];
    const run = await restore({
      "upload-wave": first(asks.length, (wave: Wave) => ({ ...away(wave), waitMs: asks.shift() }), done),
    });

    // What is asked for is waited in full: a timer of the hub may be a second early.
    expect(run.timers).toEqual([5, 10, 1_201, 40, 80, 160, 320, 640, 900, 900].map((seconds) => seconds * 1000));
    const released = run.calls.filter(({ name, input }) => name === "share-slots" && (input as Asking).wanted === 0);
    expect(released).toHaveLength(asks.length + 11);
    const waiting = { for: "service", until: expect.any(String) };
    expect(run.customStatuses).toContainEqual(expect.objectContaining({ phase: "waiting", waiting }));
    expect(run.customStatuses.at(-1)).not.toHaveProperty("waiting");
    expect(run.output).toEqual(result);
  });

  test("begins with short waits again when a wave did something", async () => {
    let waves = 0;
    const run = await restore({
      "upload-wave": (wave: Wave) => {
        waves += 1;
        if (waves === 3) return { ...away(wave), left: [{ from: 4, to: 8 }] };
        return waves > 4 ? done() : away(wave);
      },
    });

    expect(run.timers).toEqual([5_000, 10_000, 5_000, 10_000]);
  });

  test("goes on for a week, a generation for each wait, and then reports and fails", async () => {
    const error: unknown = await restore({ "upload-wave": away }).catch((thrown) => thrown);

    const { message, run } = error as OrchestratorFailedError;
    expect(message).toContain("away since 2026-11-22T01:00:00");
    const days = (run.ended.getTime() - Date.parse("2026-11-22T01:00:00Z")) / 86_400_000;
    expect(days).toBeGreaterThan(7);
    expect(days).toBeLessThan(7.1);
    expect(run.calls.at(-2)).toMatchObject({ name: "reconcile-restore", input: { stopped: { reason: "failed" } } });
  });

  test("goes on for a week when steps come to an outage in turns, whatever they list before it", async () => {
    let steps = 0;
    const error: unknown = await restore({
      // The comparison after the failure is another one: it does without the mailbox.
      "reconcile-restore": ({ stopped }: object & { stopped?: object }) => {
        steps += 1;
        return stopped === undefined ? { awayMs: steps % 2 === 0 ? 0 : 3_600_000 } : { ...result, stopped };
      },
    }).catch((thrown) => thrown);

    const { message, run } = error as OrchestratorFailedError;
    expect(message).toContain("away since");
    const days = (run.ended.getTime() - Date.parse("2026-11-22T01:00:00Z")) / 86_400_000;
    expect(days).toBeGreaterThan(7);
    expect(days).toBeLessThan(7.1);
  });

  test.each(["read-wish", "share-slots"])("waits for %s, longer each time, and goes on", async (name) => {
    const well = {
      "read-wish": () => ({ wish: "go-on" }),
      "share-slots": ({ wanted }: Asking) => ({ granted: wanted }),
    };
    const run = await restore({
      [name]: first(4, () => ({ awayMs: 0 }), well[name as keyof typeof well] as () => unknown),
    });

    expect(run.timers).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(run.output).toEqual(result);
  });
});

describe("restore-mailbox, which has to stop,", () => {
  test("ends as it is, and is not called cancelled, when it is told so after its last import", async () => {
    const isTold = { now: false };
    const run = await restore({
      "read-wish": () => ({ wish: isTold.now ? "cancel" : "go-on" }),
      "reconcile-restore": first(
        1,
        () => {
          isTold.now = true;
          return { awayMs: 0 };
        },
        (asked: object & { stopped?: object }) => ({ ...result, stopped: asked.stopped }),
      ),
    });

    expect(run.output).toEqual(result);
  });

  test("compares and reports what it did, with the reason", async () => {
    const stopped = { reason: "full", code: "ErrorQuotaExceeded" };
    const run = await restore({
      "upload-wave": ({ pending }: Wave) => ({ ...quiet, left: pending, stopped }),
      "reconcile-restore": ({ stopped }: object & { stopped?: object }) => ({ ...result, stopped }),
    });

    expect(run.calls.filter(({ name }) => name === "upload-wave")).toHaveLength(1);
    expect(run.output).toMatchObject({ stopped });
  });

  test("reports, and fails, where it is not permitted", async () => {
    const stopped = { reason: "not-permitted", code: "ErrorAccessDenied" };
    const error: unknown = await restore({
      "upload-wave": ({ pending }: Wave) => ({ ...quiet, left: pending, sessionEnded: true, stopped }),
    }).catch((thrown) => thrown);

    expect((error as Error).message).toContain("A fresh import session refused every item");
    expect((error as OrchestratorFailedError).run.calls.map(({ name }) => name)).toContain("reconcile-restore");
  });

  test("before it begins, when the mailbox takes no folder, opens no session", async () => {
    const stopped = { reason: "full", code: "ErrorQuotaExceeded" };
    const run = await restore({ "ensure-folders": () => ({ created: 1, stopped }) });

    expect(run.calls.map(({ name }) => name)).not.toContain("create-import-session");
    expect(run.calls.find(({ name }) => name === "reconcile-restore")?.input).toMatchObject({ stopped });
  });

  test("does not count a session as futile that settled items of a chunk", async () => {
    const run = await restore({
      "upload-wave": first(
        15,
        ({ pending }: Wave) => ({ ...quiet, left: pending, sessionEnded: true, settled: 1 }),
        done,
      ),
    });

    expect(run.output).toEqual(result);
  });
});

describe("restore-in-turn in an outage", () => {
  const turn = (restored: () => unknown, take?: () => unknown) => {
    let turns = 0;
    return runToEnd(restoreInTurn, {
      input: { listId: aListId, place: 0, turn: 0, outcomes: NONE },
      retries: false,
      activities: {
        "read-wish": () => ({ wish: "go-on" }),
        "take-restore":
          take ??
          (() => {
            turns += 1;
            return turns > 4 ? {} : { taken: { restore: aListed(turns), at: { mailbox: turns, restore: 0 } } };
          }),
      },
      orchestrators: { "restore-mailbox": restored },
    });
  };

  test("waits after a restore that ended in it, before it takes another", async () => {
    const run = await turn(() => {
      throw new Error("Graph answered 503 ServiceUnavailable to GET folders");
    });

    expect(run.timers).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(run.output).toMatchObject({ failed: 4 });
  });

  test("does not wait after a failure of another kind, or a success", async () => {
    let calls = 0;
    const run = await turn(() => {
      calls += 1;
      if (calls % 2 === 0) return aResult();
      throw new Error("Graph answered 403 ErrorAccessDenied to GET folders");
    });

    expect(run.timers).toEqual([]);
  });

  test("waits while the list cannot be read", async () => {
    const run = await turn(
      () => aResult(),
      first<void>(
        3,
        () => ({ awayMs: 0 }),
        () => ({}),
      ),
    );

    expect(run.timers).toEqual([5_000, 10_000, 20_000]);
    expect(run.output).toEqual(NONE);
  });
});
