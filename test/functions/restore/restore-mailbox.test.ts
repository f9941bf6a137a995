import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { restoreMailbox } from "../../../functions/restore/restore-mailbox.orchestrator.ts";
import { RestoreMailboxInput, type uploadItems } from "../../../shared/contracts/restore.ts";
import type { shareSlots } from "../../../shared/contracts/slots.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator } from "../../support/run-orchestrator.ts";
import { aRestoreId } from "./a-restore.ts";

type Lane = z.output<typeof uploadItems.input>;
type Asking = z.output<typeof shareSlots.input>;
type Uploaded = z.output<typeof uploadItems.output>;

const input: RestoreMailboxInput = {
  restoreId: aRestoreId,
  mailbox: { key: aKey, id: "MBX:ada@contoso", kind: "primary", userId: "ada" },
  snapshotId: "20261121T010000Z-abc234",
  select: { all: true },
  target: "new-folder",
  dryRun: false,
};
const plan = { items: 400, present: 3, bytes: 4_000, chunks: 8, folders: 2, foldersToCreate: 2, laneBudgetMs: 60_000 };
const result = { imported: 400, present: 3, ambiguous: 0, failed: 0, missing: 0, bytes: 4_000 };

const chunksIn = (ranges: Lane["ranges"]): number => ranges.reduce((sum, { from, to }) => sum + to - from, 0);

const uploaded = ({ ranges }: Lane, overrides: Partial<Uploaded> = {}): Uploaded => ({
  left: [],
  imported: chunksIn(ranges) * 50,
  ambiguous: 0,
  failed: 0,
  bytes: chunksIn(ranges) * 500,
  sessionEnded: false,
  elapsedMs: 1_000,
  throttled: 0,
  waitMs: 0,
  ...overrides,
});

const unfinished = (lane: Lane, overrides: Partial<Uploaded> = {}): Uploaded =>
  uploaded(lane, { left: lane.ranges, imported: 0, bytes: 0, ...overrides });

const wanted = (asking: Asking): number => asking.wanted;

/** One generation: its calls, and apart from them what it asked of the mailbox's slots. */
const restore = async (
  lane: (lane: Lane) => Uploaded | Promise<Uploaded> = (each) => uploaded(each),
  start: unknown = input,
  planned = plan,
  share = wanted,
) => {
  let sessions = 0;
  const { calls, ...rest } = await runOrchestrator(restoreMailbox, {
    input: start,
    retries: false,
    activitiesAtOnce: 4,
    activities: {
      "share-slots": (asking: Asking) => ({ granted: share(asking) }),
      "plan-restore": () => planned,
      "ensure-folders": () => ({ created: 2 }),
      "create-import-session": () => {
        sessions += 1;
        return { sealed: `sealed-${sessions}`, expires: "2026-11-22T02:00:00.000Z" };
      },
      "upload-items": lane,
      "reconcile-restore": () => result,
    },
  });
  return { ...rest, everyCall: calls, calls: calls.filter(isWork), askings: askingsOf(calls) };
};

const isWork = ({ name }: { name: string }): boolean => name !== "share-slots";
const askingsOf = (calls: readonly { name: string; input: unknown }[]): Asking[] =>
  calls.filter((call) => !isWork(call)).map((call) => call.input as Asking);

const namesOf = ({ calls }: Pick<Awaited<ReturnType<typeof restore>>, "calls">): string[] =>
  calls.map(({ name }) => name);
const lanesOf = ({ calls }: Pick<Awaited<ReturnType<typeof restore>>, "calls">): Lane[] =>
  calls.filter(({ name }) => name === "upload-items").map((call) => call.input as Lane);

describe("restore-mailbox", () => {
  test("plans, makes folders, opens a session, imports in four lanes, and compares last", async () => {
    const run = await restore();

    expect(run.everyCall.map(({ name }) => name)).toEqual([
      "share-slots",
      "plan-restore",
      "ensure-folders",
      "share-slots",
      "create-import-session",
      "upload-items",
      "upload-items",
      "upload-items",
      "upload-items",
      "share-slots",
      "reconcile-restore",
      "share-slots",
    ]);
    expect(run.askings.map(wanted)).toEqual([1, 4, 1, 0]);
    expect(lanesOf(run).map(({ ranges }) => ranges)).toEqual([
      [{ from: 0, to: 2 }],
      [{ from: 2, to: 4 }],
      [{ from: 4, to: 6 }],
      [{ from: 6, to: 8 }],
    ]);
    expect(run.output).toEqual(result);
  });

  test("ends a dry run with the plan, and changes nothing", async () => {
    const run = await restore(undefined, { ...input, dryRun: true });

    expect(namesOf(run)).toEqual(["plan-restore"]);
    expect(run.askings.map(wanted)).toEqual([1, 0]);
    expect(run.output).toEqual(plan);
  });

  test("opens no session when all is there already", async () => {
    const run = await restore(undefined, input, { ...plan, items: 0, chunks: 0 });

    expect(namesOf(run)).toEqual(["plan-restore", "ensure-folders", "reconcile-restore"]);
  });

  test("uses one session for all waves, and another one only once it ended", async () => {
    let turns = 0;
    const run = await restore((lane) => {
      turns += 1;
      if (turns <= 4) return unfinished(lane);
      if (turns === 5) return unfinished(lane, { sessionEnded: true });
      return uploaded(lane);
    });

    expect(lanesOf(run).map(({ session }) => session.sealed)).toEqual([
      ...Array.from({ length: 8 }, () => "sealed-1"),
      "sealed-2",
      "sealed-2",
    ]);
  });

  test("gives up when session after session ends before anything is done", async () => {
    const error: unknown = await restore((lane) => unfinished(lane, { sessionEnded: true })).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(OrchestratorFailedError);
    const { message, run } = error as OrchestratorFailedError;
    expect(message).toContain("10 import sessions in a row ended before a chunk was done");
    expect(run.calls.filter(({ name }) => name === "create-import-session")).toHaveLength(10);
  });

  test("bears with sessions that end early as long as chunks get done in between", async () => {
    let turns = 0;
    const run = await restore(
      (lane) => {
        turns += 1;
        return turns % 5 === 0 ? uploaded(lane) : unfinished(lane, { sessionEnded: true });
      },
      input,
      { ...plan, chunks: 3 },
    );

    expect(run.output).toEqual(result);
  });

  test("waits durably for what Graph asks, with half the lanes afterwards", async () => {
    let refused = false;
    const run = await restore((lane) => {
      if (refused) return uploaded(lane);
      refused = true;
      return unfinished(lane, { throttled: 1, waitMs: 300_000 });
    });

    expect(run.timers).toEqual([300_000]);
    expect(
      lanesOf(run)
        .map(({ ranges }) => ranges)
        .slice(4),
    ).toEqual([[{ from: 0, to: 1 }], [{ from: 1, to: 2 }]]);
  });

  test("goes on in a new generation after twenty waves, without the session", async () => {
    const first = await restore((lane) => unfinished(lane));
    const { resume } = RestoreMailboxInput.parse(first.continuedAs);
    const second = await restore(undefined, first.continuedAs);

    expect(first.output).toBeUndefined();
    expect(JSON.stringify(first.continuedAs)).not.toContain("sealed");
    expect(resume).toMatchObject({ plan, lanes: 4, pending: [{ from: 0, to: 2 }, {}, {}, {}] });
    expect(namesOf(second)).toEqual([
      "create-import-session",
      "upload-items",
      "upload-items",
      "upload-items",
      "upload-items",
      "reconcile-restore",
    ]);
    expect(second.output).toEqual(result);
  });

  test("tells its phase and counts", async () => {
    const { customStatuses } = await restore();

    expect(customStatuses.map((status) => (status as { phase: string }).phase)).toEqual(
      expect.arrayContaining(["waiting", "planning", "folders", "done"]),
    );
    expect(customStatuses.at(-1)).toEqual({
      phase: "done",
      items: 400,
      present: 3,
      bytes: 4_000,
      imported: 400,
      ambiguous: 0,
      failed: 0,
      importedBytes: 4_000,
      throttled: 0,
    });
  });

  test("fails with a lane, and compares nothing", async () => {
    const error: unknown = await restore(() => {
      throw new Error("the vault is gone");
    }).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(OrchestratorFailedError);
    expect((error as OrchestratorFailedError).run.calls.map(({ name }) => name)).not.toContain("reconcile-restore");
  });
});

describe("restore-mailbox, which shares the mailbox's slots", () => {
  test("runs no more lanes than it is granted, and takes more when there are more", async () => {
    const grants = [1, 3, 1, 4];
    const run = await restore(
      (lane) => uploaded(lane, { left: lane.ranges.map(({ from, to }) => ({ from: from + 1, to })).filter(isOpen) }),
      input,
      { ...plan, chunks: 40 },
      (asking) => grants.shift() ?? wanted(asking),
    );
    const lanes: number[] = [];
    for (const { name } of run.everyCall)
      if (name === "share-slots") lanes.push(0);
      else if (name === "upload-items") lanes.push((lanes.pop() ?? 0) + 1);

    expect(lanes.slice(0, 5)).toEqual([0, 3, 1, 4, 4]);
    expect(run.output).toEqual(result);
  });

  test("asks nothing of Graph before there is a slot, and says that it waits", async () => {
    const grants = [0, 0, 0];
    const { everyCall, timers, customStatuses } = await restore(
      undefined,
      input,
      plan,
      (asking) => grants.shift() ?? wanted(asking),
    );

    expect(timers).toEqual([5_000, 5_000, 5_000]);
    expect(everyCall.findIndex(isWork)).toBe(4);
    expect(customStatuses[0]).toMatchObject({ phase: "waiting" });
  });

  test("gives back before the next generation, which holds under another name", async () => {
    const { askings, continuedAs } = await restore((lane) => unfinished(lane));

    expect(RestoreMailboxInput.parse(continuedAs).resume).toBeDefined();
    expect(askings.map(wanted)).toEqual([1, ...Array.from({ length: 20 }, () => 4), 0]);
    expect(new Set(askings.map(({ holder }) => holder)).size).toBe(1);
    expect(askings.every(({ user, mailboxKey }) => user === "restore" && mailboxKey === aKey)).toBe(true);
  });

  test("gives back after a failed lane only when the lanes beside it have ended", async () => {
    const log: string[] = [];
    const error: unknown = await restore(
      async (lane) => {
        if (lane.ranges[0]?.from === 0) throw new Error("the vault is gone");
        for (let turn = 0; turn < 100; turn += 1) await setImmediate();
        log.push("lane ended");
        return uploaded(lane);
      },
      input,
      plan,
      (asking) => {
        if (asking.wanted === 0) log.push("given back");
        return asking.wanted;
      },
    ).catch((thrown: unknown) => thrown);

    expect((error as Error).message).toContain("the vault is gone");
    expect(log).toEqual(["lane ended", "lane ended", "lane ended", "given back"]);
  });

  test.each(["plan-restore", "ensure-folders", "create-import-session", "reconcile-restore"])(
    "gives back after a failed %s",
    async (broken) => {
      const error: unknown = await runOrchestrator(restoreMailbox, {
        input,
        retries: false,
        activities: {
          "share-slots": (asking: Asking) => ({ granted: asking.wanted }),
          "plan-restore": () => plan,
          "ensure-folders": () => ({ created: 2 }),
          "create-import-session": () => ({ sealed: "sealed", expires: "2026-11-22T02:00:00.000Z" }),
          "upload-items": (lane: Lane) => uploaded(lane),
          [broken]: () => {
            throw new Error("beyond repair");
          },
        },
      }).catch((thrown: unknown) => thrown);

      expect((error as Error).message).toContain("beyond repair");
      const { calls } = (error as OrchestratorFailedError).run;
      expect(calls.filter(isWork).at(-1)?.name).toBe(broken);
      expect(calls.at(-1)).toMatchObject({ name: "share-slots", input: { wanted: 0 } });
    },
  );
});

const isOpen = ({ from, to }: { from: number; to: number }): boolean => from < to;
