import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { backupMailbox } from "../../../functions/backup/backup-mailbox.orchestrator.ts";
import { batchesIn } from "../../../functions/backup/wave.ts";
import { BackupMailboxInput, type exportChunks, type planChanges } from "../../../shared/contracts/backup.ts";
import type { shareSlots } from "../../../shared/contracts/slots.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator } from "../../support/run-orchestrator.ts";

const BUDGET_MS = 100_000;
const mailbox = { key: aKey, id: "MBX:ada@contoso", kind: "primary", userId: "ada" } as const;
const input = { mailbox, trigger: "schedule" } as const;

type Planned = z.output<typeof planChanges.output>;
type Exported = z.output<typeof exportChunks.output>;
type Lane = z.output<typeof exportChunks.input>;
type Asking = z.output<typeof shareSlots.input>;

const planned = (chunks: number[], overrides: Partial<Planned> = {}): Planned => ({
  chunks,
  items: chunks.reduce((sum, batches) => sum + batches * 20, 0),
  removed: 0,
  done: true,
  elapsedMs: 1_000,
  throttled: 0,
  waitMs: 0,
  ...overrides,
});

const exported = ({ ranges }: Lane, overrides: Partial<Exported> = {}): Exported => ({
  left: [],
  batches: batchesIn(ranges),
  exported: batchesIn(ranges) * 20,
  skipped: 0,
  failed: 0,
  bytes: 0,
  storedBytes: 0,
  elapsedMs: batchesIn(ranges) * 1_000,
  throttled: 0,
  waitMs: 0,
  ...overrides,
});

const aPlanner = (rounds: readonly Planned[]) => {
  const answers = [...rounds];
  return () => answers.shift() ?? planned([]);
};

interface Stubs {
  readonly plan?: readonly Planned[];
  readonly lane?: (lane: Lane) => Exported;
  readonly share?: (asking: Asking) => number;
}

const wanted = (asking: Asking): number => asking.wanted;

/** One generation: its calls, and apart from them what it asked of the mailbox's slots. */
const run = async (
  { plan = [planned([25])], lane = (each) => exported(each), share = wanted }: Stubs = {},
  start: unknown = input,
) => {
  const { calls, ...rest } = await runOrchestrator(backupMailbox, {
    input: start,
    retries: false,
    activities: {
      "share-slots": (asking: Asking) => ({ granted: share(asking) }),
      "open-run": () => ({ folders: 7, expectedItems: 500, laneBudgetMs: BUDGET_MS }),
      "plan-changes": aPlanner(plan),
      "export-chunks": lane,
      "commit-snapshot": ({ runId }: { runId: string }) => ({
        snapshotId: runId,
        state: "complete",
        quiet: false,
        items: 500,
        bytes: 1,
      }),
    },
  });
  return { ...rest, everyCall: calls, calls: calls.filter(isWork), askings: askingsOf(calls) };
};

const isWork = ({ name }: { name: string }): boolean => name !== "share-slots";
const askingsOf = (calls: readonly { name: string; input: unknown }[]): Asking[] =>
  calls.filter((call) => !isWork(call)).map((call) => call.input as Asking);

type Call = Awaited<ReturnType<typeof run>>["calls"][number];

const lanesOf = (calls: readonly Call[]): Lane[] =>
  calls.filter(({ name }) => name === "export-chunks").map((call) => call.input as Lane);

const wavesOf = (calls: readonly Call[]): Lane[][] => {
  const waves = new Map<number, Lane[]>();
  for (const lane of lanesOf(calls)) waves.set(lane.wave, [...(waves.get(lane.wave) ?? []), lane]);
  return [...waves.values()];
};

const inputOf = (call: Call | undefined): Record<string, unknown> => ({ ...(call?.input as object) });

const batchNames = (lanes: readonly Lane[]): string[] =>
  lanes.flatMap(({ ranges }) =>
    ranges.flatMap(({ chunk, from, to }) => Array.from({ length: to - from }, (_, i) => `c${chunk}-b${from + i}`)),
  );

describe("backup-mailbox", () => {
  test("opens, plans one chunk, exports it in four lanes, commits: the history that runs in flight rely on", async () => {
    const { everyCall, calls } = await run();

    expect(
      everyCall.map(({ name, input }) => {
        const { wave, lane, wanted } = input as Partial<Lane & Asking>;
        return [name, wave ?? wanted, lane];
      }),
    ).toEqual([
      ["share-slots", 1, undefined],
      ["open-run", undefined, undefined],
      ["share-slots", 4, undefined],
      ["plan-changes", 0, undefined],
      ["share-slots", 4, undefined],
      ["export-chunks", 1, 0],
      ["export-chunks", 1, 1],
      ["export-chunks", 1, 2],
      ["export-chunks", 1, 3],
      ["share-slots", 0, undefined],
      ["commit-snapshot", undefined, undefined],
    ]);
    expect(calls[1]?.input).toMatchObject({ fromChunk: 0, mostChunks: 1, budgetMs: BUDGET_MS });
    expect(new Set(batchNames(lanesOf(calls))).size).toBe(25);
  });

  test("answers with the snapshot and the run's totals", async () => {
    const { output, calls } = await run({ lane: (lane) => exported(lane, { failed: 1, skipped: 2, throttled: 0 }) });
    const runId = inputOf(calls[0])["runId"];

    expect(runId).toMatch(/^20261122T010000Z-[a-z2-7]{6}$/);
    expect(output).toMatchObject({
      snapshotId: runId,
      totals: { planned: 500, exported: 500, failed: 4, skipped: 8, removed: 0, throttled: 0 },
    });
    expect(calls.at(-1)?.input).toMatchObject({ trigger: "schedule", totals: { exported: 500, failed: 4 } });
  });

  test("commits at once when there is nothing to export", async () => {
    const { calls } = await run({ plan: [planned([])] });

    expect(calls.map(({ name }) => name)).toEqual(["open-run", "plan-changes", "commit-snapshot"]);
  });

  test("plans on beside exporting, in one slot of four, which exports when planning ended early", async () => {
    const { calls } = await run({ plan: [planned([25], { done: false }), planned([25, 25], { elapsedMs: 2_000 })] });
    const second = calls.filter(({ input }) => (input as Partial<Lane>).wave === 1);

    expect(second.map(({ name, input }) => [name, (input as Partial<Lane>).lane])).toEqual([
      ["plan-changes", undefined],
      ["export-chunks", 0],
      ["export-chunks", 1],
      ["export-chunks", 2],
      ["export-chunks", 3],
    ]);
    expect(second[0]?.input).toMatchObject({ fromChunk: 1, budgetMs: 9_000 });
    expect(second[4]?.input).toMatchObject({ budgetMs: 7_000, ranges: [{ chunk: 1, from: 0, to: 7 }] });
    expect(batchNames(lanesOf(calls))).toHaveLength(75);
    expect(new Set(batchNames(lanesOf(calls))).size).toBe(75);
  });

  test("gives the planner's slot to nobody when too little of the wave is left", async () => {
    const { calls } = await run({ plan: [planned([25], { done: false }), planned([25], { elapsedMs: 8_500 })] });

    expect(wavesOf(calls)[0]).toHaveLength(3);
  });

  test("never has more than four at work for the mailbox, whatever lanes leave behind", async () => {
    const plan = [planned([25], { done: false }), planned([25, 25], { done: false }), planned([25, 3])];
    const lane = (each: Lane) => {
      const [first, ...others] = each.ranges;
      if (!first || first.to - first.from < 2) return exported(each);
      const left = [{ ...first, from: first.from + 1 }, ...others];
      return exported(each, { left, batches: 1, exported: 20 });
    };

    const { calls } = await run({ plan, lane });

    for (const lanes of wavesOf(calls)) {
      expect(lanes.length).toBeLessThanOrEqual(4);
      expect(new Set(lanes.map((each) => each.lane)).size).toBe(lanes.length);
      expect(lanes.every((each) => each.lane < 4)).toBe(true);
    }
  });

  test("halves the lanes after a wave that was refused, and adds one after each clean one", async () => {
    let refusals = 2;
    const lane = (each: Lane): Exported => {
      const [first] = each.ranges;
      const throttled = refusals > 0 && each.lane === 0 ? 1 : 0;
      if (throttled) refusals -= 1;
      const left = each.ranges.map((range, n) => (n === 0 ? { ...range, from: range.from + 1 } : range));
      const open = left.filter(({ from, to }) => from < to);
      return exported(each, { left: first ? open : [], batches: 1, exported: 20, throttled });
    };

    const { calls } = await run({ plan: [planned([25])], lane });

    expect(
      wavesOf(calls)
        .map(({ length }) => length)
        .slice(0, 6),
    ).toEqual([4, 2, 1, 2, 3, 4]);
  });

  test("waits durably for as long as the most patient lane was asked to, then goes on with what is left", async () => {
    let asked = false;
    const lane = (each: Lane): Exported => {
      if (asked || each.lane !== 1) return exported(each);
      asked = true;
      return exported(each, { left: [...each.ranges], batches: 0, exported: 0, throttled: 1, waitMs: 900_000 });
    };

    const { calls, timers, output } = await run({ lane });

    expect(timers).toEqual([900_000]);
    expect(wavesOf(calls).map(({ length }) => length)).toEqual([4, 2]);
    expect(output).toMatchObject({ totals: { exported: 500, throttled: 1 } });
  });

  test("goes on in a new generation after twenty waves, with counters and positions only", async () => {
    const chunks = Array.from({ length: 64 }, () => 25);
    const lane = (each: Lane): Exported => {
      const left = each.ranges.map((range, n) => (n === 0 ? { ...range, from: range.from + 1 } : range));
      return exported(each, { left: left.filter(({ from, to }) => from < to), batches: 1, exported: 20 });
    };

    const first = await run({ plan: [planned([25], { done: false }), planned(chunks)], lane });
    const resumed = BackupMailboxInput.parse(first.continuedAs);
    const { calls, output } = await run({}, first.continuedAs);

    expect(first.output).toBeUndefined();
    expect(resumed.resume?.progress).toMatchObject({ wave: 20, planned: true, nextChunk: 65 });
    expect(JSON.stringify(first.continuedAs).length).toBeLessThan(5_000);
    expect(calls.map(({ name }) => name)).not.toContain("open-run");
    expect(calls.every((call) => (call.input as Lane).runId === resumed.resume?.runId)).toBe(true);
    expect(output).toMatchObject({ totals: { exported: 65 * 500 } });
  });

  test("says what it is doing, in the same shape from the start to the end", async () => {
    const { customStatuses } = await run();
    const phases = customStatuses.map((status) => (status as { phase: string }).phase);

    expect(phases).toEqual(["waiting", "opening", "exporting", "exporting", "committing", "done"]);
    expect(customStatuses.at(-1)).toEqual({
      phase: "done",
      runId: expect.any(String),
      planned: 500,
      exported: 500,
      skipped: 0,
      failed: 0,
      bytes: 0,
      itemsPerSecond: 80,
      lanes: 4,
      throttled: 0,
      etaSeconds: 0,
    });
  });

  test.each(["open-run", "plan-changes", "export-chunks", "commit-snapshot"])(
    "fails with %s, and does nothing after that but give back its slots",
    async (name) => {
      const broken = () => {
        throw new Error("beyond repair");
      };
      const failure = runOrchestrator(backupMailbox, {
        input,
        retries: false,
        activities: {
          "share-slots": (asking: Asking) => ({ granted: asking.wanted }),
          "open-run": () => ({ folders: 1, expectedItems: 1, laneBudgetMs: BUDGET_MS }),
          "plan-changes": () => planned([25]),
          "export-chunks": (lane: Lane) => exported(lane),
          "commit-snapshot": () => null,
          [name]: broken,
        },
      }).catch((error: unknown) => error);

      const error = (await failure) as OrchestratorFailedError;
      expect(error).toBeInstanceOf(OrchestratorFailedError);
      expect(error.message).toContain("beyond repair");
      expect(error.run.calls.filter(isWork).at(-1)?.name).toBe(name);
      expect(
        askingsOf(error.run.calls)
          .map(wanted)
          .filter((slots) => slots === 0),
      ).toEqual([0]);
    },
  );
});

describe("backup-mailbox, which shares the mailbox's slots", () => {
  test("runs no more lanes than it is granted, and takes more when there are more", async () => {
    const grants = [1, 4, 1, 2, 4];
    const lane = (each: Lane): Exported => {
      const [first, ...others] = each.ranges;
      if (!first || first.to - first.from < 2) return exported(each);
      return exported(each, { left: [{ ...first, from: first.from + 1 }, ...others], batches: 1, exported: 20 });
    };

    const { calls, askings, output } = await run({ lane, share: (asking) => grants.shift() ?? wanted(asking) });

    expect(
      wavesOf(calls)
        .map(({ length }) => length)
        .slice(0, 3),
    ).toEqual([1, 2, 4]);
    expect(new Set(batchNames(lanesOf(calls))).size).toBe(25);
    expect(askings.slice(1, 5).map(wanted)).toEqual([4, 4, 4, 4]);
    expect(output).toMatchObject({ totals: { exported: 500 } });
  });

  test("with one slot, plans and exports in turns, never both", async () => {
    const plan = [planned([5], { done: false }), planned([5], { done: false }), planned([5])];

    const { calls, output } = await run({ plan, share: (asking) => Math.min(1, asking.wanted) });

    expect(calls.map(({ name }) => name)).toEqual([
      "open-run",
      "plan-changes",
      "export-chunks",
      "plan-changes",
      "export-chunks",
      "plan-changes",
      "export-chunks",
      "commit-snapshot",
    ]);
    expect(output).toMatchObject({ totals: { planned: 300, exported: 300 } });
  });

  test("asks nothing of Graph before there is a slot, and says that it waits", async () => {
    const grants = [0, 0];

    const { everyCall, timers, customStatuses } = await run({ share: (asking) => grants.shift() ?? asking.wanted });

    expect(timers).toEqual([5_000, 5_000]);
    expect(everyCall.slice(0, 4).map(({ name }) => name)).toEqual([
      "share-slots",
      "share-slots",
      "share-slots",
      "open-run",
    ]);
    expect(customStatuses[0]).toMatchObject({ phase: "waiting" });
  });

  test("gives back before the next generation, which holds under another name", async () => {
    const lane = (each: Lane): Exported => exported(each, { left: each.ranges, batches: 0, exported: 0 });

    const first = await run({ lane });
    const { resume } = BackupMailboxInput.parse(first.continuedAs);
    const second = await run({ lane }, first.continuedAs);

    expect(resume?.progress.wave).toBe(20);
    expect(first.askings.map(wanted)).toEqual([1, ...Array.from({ length: 20 }, () => 4), 0]);
    expect(second.askings.map(wanted)).toEqual([...Array.from({ length: 20 }, () => 4), 0]);
    expect(new Set(first.askings.map(({ holder }) => holder)).size).toBe(1);
    expect(first.askings.every(({ user, mailboxKey }) => user === "backup" && mailboxKey === aKey)).toBe(true);
  });

  test.each(["plan-changes", "export-chunks"])(
    "gives back after a failed %s only when the lanes beside it have ended",
    async (broken) => {
      const log: string[] = [];
      let plans = 0;
      const failure: unknown = await runOrchestrator(backupMailbox, {
        input,
        retries: false,
        activitiesAtOnce: 4,
        activities: {
          "share-slots": ({ wanted }: Asking) => {
            if (wanted === 0) log.push("given back");
            return { granted: wanted };
          },
          "open-run": () => ({ folders: 1, expectedItems: 1, laneBudgetMs: BUDGET_MS }),
          "plan-changes": () => {
            plans += 1;
            if (plans > 1 && broken === "plan-changes") throw new Error("beyond repair");
            return planned([25], { done: false });
          },
          "export-chunks": async (lane: Lane) => {
            if (lane.lane === 0 && broken === "export-chunks") throw new Error("beyond repair");
            for (let turn = 0; turn < 100; turn += 1) await setImmediate();
            log.push("lane ended");
            return exported(lane);
          },
        },
      }).catch((error: unknown) => error);

      expect(failure).toBeInstanceOf(OrchestratorFailedError);
      expect((failure as OrchestratorFailedError).message).toContain("beyond repair");
      expect(log.at(-1)).toBe("given back");
      expect(log.filter((entry) => entry === "lane ended").length).toBeGreaterThanOrEqual(2);
      expect(log.filter((entry) => entry === "given back")).toHaveLength(1);
    },
  );
});
