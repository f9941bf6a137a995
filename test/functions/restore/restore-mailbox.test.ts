import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { chunksIn } from "../../../functions/restore/chunk-ranges.contract.ts";
import {
  RestoreMailboxInput,
  type reconcileRestore,
  type uploadWave,
} from "../../../functions/restore/restore.contract.ts";
import { restoreMailbox } from "../../../functions/restore/restore-mailbox.orchestrator.ts";
import type { shareSlots } from "../../../functions/slots/slots.contract.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator, runToEnd } from "../../support/run-orchestrator.ts";
import { anOrder } from "./an-order.ts";

type Wave = z.output<typeof uploadWave.input>;
type Asking = z.output<typeof shareSlots.input>;
type Reconciling = z.output<typeof reconcileRestore.input>;
type Uploaded = z.output<typeof uploadWave.output>;

const input: RestoreMailboxInput = anOrder;
const plan = { items: 400, present: 3, bytes: 4_000, chunks: 8, folders: 2, foldersToCreate: 2, laneBudgetMs: 60_000 };
const result = { imported: 400, replaced: 0, present: 3, ambiguous: 0, failed: 0, missing: 0, bytes: 4_000 };

const uploaded = ({ pending }: Wave, overrides: Partial<Uploaded> = {}): Uploaded => ({
  left: [],
  imported: chunksIn(pending) * 50,
  replaced: 0,
  ambiguous: 0,
  failed: 0,
  bytes: chunksIn(pending) * 500,
  sessionEnded: false,
  spent: [{ at: 1, bytes: 2, requests: 3 }],
  elapsedMs: 1_000,
  throttled: 0,
  waitMs: 0,
  ...overrides,
});

const unfinished = (wave: Wave, overrides: Partial<Uploaded> = {}): Uploaded =>
  uploaded(wave, { left: wave.pending, imported: 0, bytes: 0, ...overrides });

const wanted = (asking: Asking): number => asking.wanted;

/** A whole restore, or one generation of it: its calls, and apart from them its requests for the mailbox's slots. */
const restore = async (
  wave: (wave: Wave) => Uploaded = (each) => uploaded(each),
  start: unknown = input,
  planned = plan,
  share = wanted,
  run: typeof runOrchestrator = runToEnd,
  reconcile: (asked: Reconciling) => typeof result = () => result,
) => {
  let sessions = 0;
  const { calls, ...rest } = await run(restoreMailbox, {
    input: start,
    retries: false,
    activities: {
      "read-wish": () => ({ wish: "go-on" }),
      "share-slots": (asking: Asking) => ({ granted: share(asking) }),
      "plan-restore": () => planned,
      "ensure-folders": () => ({ created: 2 }),
      "create-import-session": () => {
        sessions += 1;
        return { sealed: `sealed-${sessions}`, expires: "2026-11-22T02:00:00.000Z" };
      },
      "upload-wave": wave,
      "reconcile-restore": reconcile,
    },
  });
  return { ...rest, everyCall: calls, calls: calls.filter(isWork), askings: askingsOf(calls) };
};

const isWork = ({ name }: { name: string }): boolean => name !== "share-slots" && name !== "read-wish";
const askingsOf = (calls: readonly { name: string; input: unknown }[]): Asking[] =>
  calls.filter(({ name }) => name === "share-slots").map((call) => call.input as Asking);

const reportsOf = ({ calls }: { readonly calls: readonly { name: string; input: unknown }[] }) =>
  calls.filter(({ name }) => name === "reconcile-restore");

const namesOf = ({ calls }: Pick<Awaited<ReturnType<typeof restore>>, "calls">): string[] =>
  calls.map(({ name }) => name);
const wavesOf = ({ calls }: Pick<Awaited<ReturnType<typeof restore>>, "calls">): Wave[] =>
  calls.filter(({ name }) => name === "upload-wave").map((call) => call.input as Wave);

describe("restore-mailbox", () => {
  test("asks for slots again for a wave whose hold was gone, and goes on as before", async () => {
    let deliveries = 0;
    const { calls, askings, output } = await restore((wave) => {
      deliveries += 1;
      return deliveries > 1 ? uploaded(wave) : unfinished(wave, { notHeld: true });
    });

    const [first, second] = wavesOf({ calls });
    expect(second).toMatchObject({ pending: first?.pending });
    expect(second?.hold).not.toEqual(first?.hold);
    expect(askings.map(({ wanted }) => wanted)).toEqual([4, 4, 4, 0, 4, 4, 0]);
    expect(output).toEqual(result);
  });

  test("plans, creates folders, opens a session, imports, and compares", async () => {
    const run = await restore();

    expect(run.everyCall.map(({ name }) => name)).toEqual([
      "read-wish",
      "share-slots",
      "plan-restore",
      "share-slots",
      "ensure-folders",
      "share-slots",
      "create-import-session",
      "upload-wave",
      "share-slots",
      "reconcile-restore",
      "share-slots",
    ]);
    expect(run.askings.map(wanted)).toEqual([4, 4, 4, 4, 0]);
    expect(wavesOf(run)).toMatchObject([{ pending: [{ from: 0, to: 8 }], slots: 4, budgetMs: 60_000, spent: [] }]);
    expect(run.output).toEqual(result);
  });

  test("ends a dry run with the plan, and changes nothing", async () => {
    const run = await restore(undefined, { ...input, dryRun: true });

    expect(namesOf(run)).toEqual(["plan-restore"]);
    expect(run.askings.map(wanted)).toEqual([4, 0]);
    expect(run.output).toEqual(plan);
  });

  test("plans from the mailbox that was backed up, and works on the one that it restores into", async () => {
    const into = { ...input.mailbox, key: "a".repeat(26), id: "MBX:bo@contoso", userId: "bo" };
    const { calls, askings } = await restore(undefined, { ...input, into });

    const [plan, ...others] = calls.map((call) => call.input);
    expect(plan).toMatchObject({ mailbox: input.mailbox, into });
    expect(others.every((call) => (call as Wave).mailbox.id === into.id)).toBe(true);
    expect(askings.every(({ mailboxKey }) => mailboxKey === into.key)).toBe(true);
  });

  test("opens no session when there is nothing to import", async () => {
    const run = await restore(undefined, input, { ...plan, items: 0, chunks: 0 });

    expect(namesOf(run)).toEqual(["plan-restore", "ensure-folders", "reconcile-restore"]);
  });

  test("uses one session for all waves, and opens another only when it ended", async () => {
    let turns = 0;
    const run = await restore((wave) => {
      turns += 1;
      if (turns === 1) return unfinished(wave);
      if (turns === 2) return unfinished(wave, { sessionEnded: true });
      return uploaded(wave);
    });

    expect(wavesOf(run).map(({ session }) => session.sealed)).toEqual(["sealed-1", "sealed-1", "sealed-2"]);
  });

  test("passes on to each wave what earlier waves sent", async () => {
    let turns = 0;
    const run = await restore((wave) => {
      turns += 1;
      return turns === 1 ? unfinished(wave) : uploaded(wave);
    });

    expect(wavesOf(run).map(({ spent }) => spent)).toEqual([[], [{ at: 1, bytes: 2, requests: 3 }]]);
  });

  test("fails when session after session ends before a chunk is done", async () => {
    const error: unknown = await restore((wave) => unfinished(wave, { sessionEnded: true })).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(OrchestratorFailedError);
    const { message, run } = error as OrchestratorFailedError;
    expect(message).toContain("10 import sessions in a row ended before a chunk was done");
    expect(run.calls.filter(({ name }) => name === "create-import-session")).toHaveLength(10);
    expect(run.calls.at(-2)).toMatchObject({
      name: "reconcile-restore",
      input: { stopped: { reason: "failed", detail: expect.stringContaining("10 import sessions") } },
    });
  });

  test("goes on with sessions that end early when chunks are done in between", async () => {
    let turns = 0;
    const run = await restore((wave) => {
      turns += 1;
      if (turns % 6 !== 0) return unfinished(wave, { sessionEnded: true });
      const [{ from, to } = { from: 0, to: 0 }] = wave.pending;
      return uploaded(wave, { left: from + 4 < to ? [{ from: from + 4, to }] : [], sessionEnded: true });
    });

    expect(run.output).toEqual(result);
    expect(turns).toBe(12);
  });

  test("waits durably as long as Graph asks, then halves the lanes", async () => {
    let refused = false;
    const run = await restore((wave) => {
      if (refused) return uploaded(wave);
      refused = true;
      return unfinished(wave, { throttled: 1, waitMs: 300_000 });
    });

    expect(run.timers).toEqual([301_000]);
    expect(wavesOf(run).map(({ slots }) => slots)).toEqual([4, 2]);
  });

  test("goes on in a new generation after twenty waves, without the session", async () => {
    const first = await restore((wave) => unfinished(wave), input, plan, wanted, runOrchestrator);
    const { resume } = RestoreMailboxInput.parse(first.continuedAs);
    const second = await restore(undefined, first.continuedAs);

    expect(first.output).toBeUndefined();
    expect(JSON.stringify(first.continuedAs)).not.toContain("sealed");
    expect(resume).toMatchObject({ plan, lanes: 4, pending: [{ from: 0, to: 8 }] });
    expect(namesOf(second)).toEqual(["create-import-session", "upload-wave", "reconcile-restore"]);
    expect(second.output).toEqual(result);
  });

  test("has its phase and counts as its status", async () => {
    const { customStatuses } = await restore();

    expect(customStatuses.map((status) => (status as { phase: string }).phase)).toEqual(
      expect.arrayContaining(["planning", "folders", "importing", "reconciling", "done"]),
    );
    expect(customStatuses.at(-1)).toEqual({
      phase: "done",
      items: 400,
      present: 3,
      bytes: 4_000,
      imported: 400,
      replaced: 0,
      ambiguous: 0,
      failed: 0,
      importedBytes: 4_000,
      throttled: 0,
    });
  });

  test("compares and reports when a wave fails, and then fails", async () => {
    const error: unknown = await restore(() => {
      throw new Error("the vault is gone");
    }).catch((thrown) => thrown);

    expect(error).toBeInstanceOf(OrchestratorFailedError);
    const { message, run } = error as OrchestratorFailedError;
    expect(message).toContain("the vault is gone");
    const stopped = { reason: "failed", detail: expect.stringContaining("the vault is gone") };
    expect(run.calls.at(-2)).toMatchObject({ name: "reconcile-restore", input: { stopped } });
    expect(reportsOf(run)).toHaveLength(1);
  });

  test("reports without a look at the mailbox when it cannot be looked at", async () => {
    const error: unknown = await restore(undefined, input, plan, wanted, runToEnd, ({ stopped }) => {
      if (stopped?.unseen) return result;
      throw new Error("the mailbox is gone");
    }).catch((thrown) => thrown);

    const { message, run } = error as OrchestratorFailedError;
    expect(message).toContain("the mailbox is gone");
    expect(reportsOf(run).map((call) => (call.input as Reconciling).stopped)).toEqual([
      undefined,
      { reason: "failed", detail: expect.stringContaining("the mailbox is gone") },
      { reason: "failed", detail: expect.stringContaining("the mailbox is gone"), unseen: true },
    ]);
  });
});

describe("restore-mailbox, which shares the mailbox's slots", () => {
  test("uses the slots that it is granted, fewer or more", async () => {
    const grants = [1, 1, 3, 1, 4];
    let turns = 0;
    const run = await restore(
      (wave) => {
        turns += 1;
        return turns < 3 ? unfinished(wave) : uploaded(wave);
      },
      input,
      plan,
      (asking) => grants.shift() ?? wanted(asking),
    );

    expect(wavesOf(run).map(({ slots }) => slots)).toEqual([3, 1, 4]);
    expect(run.output).toEqual(result);
  });

  test("calls Graph only when it has a slot, and shows that it waits", async () => {
    const grants = [0, 0, 0];
    const { everyCall, timers, customStatuses } = await restore(
      undefined,
      input,
      plan,
      (asking) => grants.shift() ?? wanted(asking),
    );

    expect(timers).toEqual([1_000, 2_000, 4_000]);
    expect(everyCall.slice(0, everyCall.findIndex(isWork)).filter(({ name }) => name === "share-slots")).toHaveLength(
      4,
    );
    expect(customStatuses).toContainEqual(
      expect.objectContaining({ phase: "waiting", waiting: { for: "slots", until: "2026-11-22T01:00:01.000Z" } }),
    );
    expect(customStatuses.at(-1)).not.toHaveProperty("waiting");
  });

  test("releases its slots before the next generation, which holds under the same name", async () => {
    let waves = 0;
    const { askings, everyCall } = await restore((wave) => {
      waves += 1;
      return waves > 25 ? uploaded(wave) : unfinished(wave);
    });

    expect(everyCall.filter(({ name }) => name === "read-wish")).toHaveLength(2);
    const released = askings.findIndex((asking) => wanted(asking) === 0);
    expect(askings[released]?.asking).toBe(askings[released - 1]?.asking);
    expect(askings.slice(released + 1).map(wanted)).toEqual([4, 4, 4, 4, 4, 4, 4, 0]);
    expect(new Set(askings.map(({ holder }) => holder)).size).toBe(1);
    expect(askings.every(({ mailboxKey }) => mailboxKey === aKey)).toBe(true);
  });

  test.each<[string, Partial<RestoreMailboxInput>, number, Asking["user"]]>([
    ["up to 500 items that a person waits for comes first", {}, 500, "small-restore"],
    ["more items comes after it", {}, 501, "restore"],
    ["a list comes by its priority", { partOf: "restores-1", priority: "high" }, 5, "high-restore"],
    ["a list that says nothing is in the middle", { partOf: "restores-1" }, 5, "restore"],
    ["a list that can wait comes last", { partOf: "restores-1", priority: "low" }, 5, "low-restore"],
  ])("a restore of %s", async (_, overrides, items, user) => {
    const askings: Asking[] = [];
    await restore(
      (wave) => (askings.length < 4 ? unfinished(wave, { waitMs: 60_000 }) : uploaded(wave)),
      { ...input, ...overrides },
      { ...plan, items },
      (asking) => {
        askings.push(asking);
        return wanted(asking);
      },
    );

    expect(askings.at(-2)?.user).toBe(user);
  });

  test.each(["plan-restore", "ensure-folders", "create-import-session", "upload-wave", "reconcile-restore"])(
    "releases its slots after a failed %s",
    async (broken) => {
      const error: unknown = await runToEnd(restoreMailbox, {
        input,
        retries: false,
        activities: {
          "read-wish": () => ({ wish: "go-on" }),
          "share-slots": (asking: Asking) => ({ granted: asking.wanted }),
          "reconcile-restore": () => result,
          "plan-restore": () => plan,
          "ensure-folders": () => ({ created: 2 }),
          "create-import-session": () => ({ sealed: "sealed", expires: "2026-11-22T02:00:00.000Z" }),
          "upload-wave": (wave: Wave) => uploaded(wave),
          [broken]: () => {
            throw new Error("beyond repair");
          },
        },
      }).catch((thrown: unknown) => thrown);

      expect((error as Error).message).toContain("beyond repair");
      const { calls } = (error as OrchestratorFailedError).run;
      const after = calls.slice(calls.findIndex(({ name }) => name === broken) + 1);
      expect(after[0]).toMatchObject({ name: "share-slots", input: { wanted: 0 } });
      expect(calls.filter(isWork).at(-1)?.name).toBe("reconcile-restore");
      expect(calls.at(-1)).toMatchObject({ name: "share-slots", input: { wanted: 0 } });
    },
  );
});
