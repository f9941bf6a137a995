import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { BackupMailboxInput, type exportWave } from "../../../functions/backup/backup.contract.ts";
import { backupMailbox } from "../../../functions/backup/backup-mailbox.orchestrator.ts";
import { noProgress } from "../../../functions/backup/wave.steps.ts";
import type { shareSlots } from "../../../functions/slots/slots.contract.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator, runToEnd } from "../../support/run-orchestrator.ts";

const BUDGET_MS = 100_000;
const mailbox = { key: aKey, id: "MBX:ada@contoso", kind: "primary", userId: "ada" } as const;
const input = { mailbox, trigger: "schedule" } as const;

type Wave = z.output<typeof exportWave.input>;
type Done = z.output<typeof exportWave.output>;
type Asking = z.output<typeof shareSlots.input>;

const CHUNK_ITEMS = 500;

/** A wave that plans and exports one chunk; the run is planned after `chunks` of them. */
const oneChunk =
  (chunks: number, overrides: Partial<Done> = {}) =>
  ({ position }: Wave): Done => {
    const nextChunk = position.nextChunk + 1;
    return {
      position: { nextChunk, planned: nextChunk >= chunks, at: { chunk: nextChunk, batch: 0 }, again: [] },
      planned: CHUNK_ITEMS,
      removed: 0,
      expectedItems: chunks * CHUNK_ITEMS,
      exported: CHUNK_ITEMS,
      skipped: 0,
      failed: 0,
      again: 0,
      bytes: 7,
      storedBytes: 3,
      elapsedMs: 5_000,
      throttled: 0,
      waitMs: 0,
      ...overrides,
    };
  };

/** What a run that died had come to after two waves. */
const unfinished = {
  runId: "20261121T230000Z-abc234",
  started: "2026-11-21T23:00:00.000Z",
  progress: {
    ...noProgress,
    wave: 2,
    position: { nextChunk: 2, planned: false, at: { chunk: 2, batch: 0 }, again: [] },
    totals: { ...noProgress.totals, planned: 1_000, exported: 1_000 },
  },
};

interface Stubs {
  readonly unfinished?: typeof unfinished;
  readonly wave?: (wave: Wave) => Done;
  readonly share?: (asking: Asking) => number;
  readonly runId?: string;
  readonly damage?: string;
  readonly commit?: object;
  readonly remove?: () => object;
}

const removes = () => ({ removed: 9 });

const wanted = (asking: Asking): number => asking.wanted;

/** Runs one generation. Its requests for slots are returned apart from its other calls. */
/** Its generations go on after each wait, and no further. */
const hasWaited = (continuedAs: unknown): boolean => (continuedAs as { wait?: object } | undefined)?.wait === undefined;

const run = async (
  { wave = oneChunk(1), share = wanted, commit = {}, remove = removes, ...opened }: Stubs = {},
  start: unknown = input,
) => {
  const stubs: Parameters<typeof runToEnd>[1] = {
    input: start,
    retries: false,
    activities: {
      "share-slots": (asking: Asking) => ({ granted: share(asking) }),
      "open-run": () => ({ laneBudgetMs: BUDGET_MS, ...opened }),
      "export-wave": wave,
      "remove-scratch": remove,
      "commit-snapshot": ({ runId }: { runId: string }) => ({
        snapshotId: runId,
        state: "complete",
        quiet: false,
        items: CHUNK_ITEMS,
        bytes: 1,
        ...commit,
      }),
    },
  };
  const { calls, ...rest } = await runToEnd(backupMailbox, stubs, hasWaited);
  return { ...rest, everyCall: calls, calls: calls.filter(isWork), askings: askingsOf(calls) };
};

const isWork = ({ name }: { name: string }): boolean => name !== "share-slots";
const askingsOf = (calls: readonly { name: string; input: unknown }[]): Asking[] =>
  calls.filter((call) => !isWork(call)).map((call) => call.input as Asking);

type Call = Awaited<ReturnType<typeof run>>["calls"][number];

const wavesOf = (calls: readonly Call[]): Wave[] =>
  calls.filter(({ name }) => name === "export-wave").map((call) => call.input as Wave);

describe("backup-mailbox", () => {
  test("opens the run, runs waves and commits: the history that runs in flight rely on", async () => {
    const { everyCall } = await run({ wave: oneChunk(2) });

    expect(
      everyCall.map(({ name, input }) => {
        const { wave, wanted } = input as Partial<Wave & Asking>;
        return [name, wave ?? wanted];
      }),
    ).toEqual([
      ["open-run", undefined],
      ["share-slots", 4],
      ["export-wave", 0],
      ["share-slots", 4],
      ["export-wave", 1],
      ["share-slots", 0],
      ["commit-snapshot", undefined],
      ["remove-scratch", undefined],
    ]);
  });

  test("passes to each wave the position where the last one ended, its slots and its time", async () => {
    const { calls } = await run({ wave: oneChunk(3) });

    expect(wavesOf(calls).map(({ position }) => position.nextChunk)).toEqual([0, 1, 2]);
    expect(wavesOf(calls)[0]).toMatchObject({ mailbox, slots: 4, budgetMs: BUDGET_MS });
  });

  test("asks for slots again for a wave whose hold was gone, and calls that wave again", async () => {
    let deliveries = 0;
    const { everyCall, output } = await run({
      wave: (wave) => {
        deliveries += 1;
        if (deliveries > 1) return oneChunk(1)(wave);
        return { ...oneChunk(1, { planned: 0, exported: 0, notHeld: true })(wave), position: wave.position };
      },
    });

    expect(everyCall.map(({ name }) => name)).toEqual([
      "open-run",
      "share-slots",
      "export-wave",
      "share-slots",
      "export-wave",
      "share-slots",
      "commit-snapshot",
      "remove-scratch",
    ]);
    const [first, second] = wavesOf(everyCall);
    expect(second).toMatchObject({ wave: first?.wave, position: first?.position });
    expect(second?.hold).not.toEqual(first?.hold);
    expect(output).toMatchObject({ totals: { exported: CHUNK_ITEMS } });
  });

  test("goes on with a run that died, and then backs up what has changed since", async () => {
    const adopted = await run({ wave: oneChunk(3), unfinished });

    expect(wavesOf(adopted.calls)).toMatchObject([
      { runId: unfinished.runId, wave: 2, position: unfinished.progress.position, mayBePacked: true },
    ]);
    expect(adopted.calls.at(-2)).toMatchObject({
      name: "commit-snapshot",
      input: { runId: unfinished.runId, waves: 3, totals: { exported: 3 * CHUNK_ITEMS } },
    });
    expect(adopted.output).toBeUndefined();

    const next = await run({}, adopted.continuedAs);
    expect(wavesOf(next.calls)[0]?.runId).not.toBe(unfinished.runId);
    expect(next.output).toMatchObject({ totals: { exported: 4 * CHUNK_ITEMS } });
  });

  test("commits a run that died at its end, without another wave", async () => {
    const position = { nextChunk: 2, planned: true, at: { chunk: 2, batch: 0 }, again: [] };
    const { calls } = await run({ unfinished: { ...unfinished, progress: { ...unfinished.progress, position } } });

    expect(calls.map(({ name }) => name)).toEqual(["open-run", "commit-snapshot", "remove-scratch"]);
  });

  test("plans for a day, exports what is planned, commits that, and goes on as another run", async () => {
    const HALF_A_DAY_MS = 12 * 3_600_000;
    const again = [{ chunk: 1, batch: 0 }];
    const late = await run({
      wave: (wave) => {
        if (wave.stopPlanning) return { ...oneChunk(9)(wave), position: { ...wave.position, again: [] } };
        const done = oneChunk(9, { waitMs: HALF_A_DAY_MS })(wave);
        return wave.wave === 0 ? done : { ...done, position: { ...done.position, again } };
      },
    });

    expect(wavesOf(late.calls).map(({ stopPlanning }) => stopPlanning)).toEqual([undefined, undefined, true]);
    expect(late.calls.at(-2)).toMatchObject({ name: "commit-snapshot", input: { waves: 3, unplanned: true } });

    const next = await run({}, late.continuedAs);
    expect(wavesOf(next.calls)[0]).toMatchObject({ wave: 0, position: { nextChunk: 0 } });
    expect(next.output).toMatchObject({ totals: { exported: 4 * CHUNK_ITEMS } });
  });

  test("goes on planning however late it is, until there is something to commit", async () => {
    const nothing = (wave: Wave) => ({ ...oneChunk(9)(wave), position: wave.position, planned: 0, exported: 0 });
    const { calls } = await run({
      wave: (wave) => (wave.wave === 0 ? { ...nothing(wave), waitMs: 2 * 24 * 3_600_000 } : oneChunk(9)(wave)),
    });

    expect(wavesOf(calls).map(({ stopPlanning }) => stopPlanning)).toEqual([undefined, undefined]);
    expect(calls.at(-2)).toMatchObject({ name: "commit-snapshot", input: { unplanned: true } });
  });

  test("returns the snapshot and the run's totals", async () => {
    const { output, calls } = await run({ wave: oneChunk(2, { failed: 1, skipped: 2, removed: 4 }) });
    const runId = wavesOf(calls)[0]?.runId;

    expect(runId).toMatch(/^20261122T010000Z-[a-z2-7]{6}$/);
    expect(output).toMatchObject({
      snapshotId: runId,
      totals: { planned: 1_000, exported: 1_000, failed: 2, skipped: 4, removed: 8, bytes: 14, throttled: 0 },
    });
    expect(calls.at(-2)?.input).toMatchObject({ trigger: "schedule", totals: { exported: 1_000, failed: 2 } });
  });

  test("halves the lanes after a wave that was refused, and adds one after each clean one", async () => {
    const refusals = [1, 3];
    const wave = (each: Wave): Done => oneChunk(7, { throttled: refusals.shift() ?? 0 })(each);

    const { calls } = await run({ wave });

    expect(wavesOf(calls).map(({ slots }) => slots)).toEqual([4, 2, 1, 2, 3, 4, 4]);
  });

  test("waits durably for as long as Graph asked, then goes on with the batches that were given back", async () => {
    const again = [{ chunk: 0, batch: 5 }];
    let asked = false;
    const wave = (each: Wave): Done => {
      if (asked) return oneChunk(1)(each);
      asked = true;
      const refused = oneChunk(9)(each);
      return { ...refused, position: { ...refused.position, again }, throttled: 1, waitMs: 900_000 };
    };

    const { calls, timers } = await run({ wave });

    expect(timers).toEqual([901_000]);
    expect(wavesOf(calls)[1]).toMatchObject({ slots: 2, position: { again } });
  });

  test("does not commit before a batch that was given back is stored", async () => {
    let waves = 0;
    const wave = (each: Wave): Done => {
      waves += 1;
      const done = oneChunk(1)(each);
      return waves > 1 ? done : { ...done, position: { ...done.position, again: [{ chunk: 0, batch: 5 }] } };
    };

    const { calls } = await run({ wave });

    expect(calls.map(({ name }) => name)).toEqual([
      "open-run",
      "export-wave",
      "export-wave",
      "commit-snapshot",
      "remove-scratch",
    ]);
  });

  test("goes on in a new generation after twenty waves, with counters and positions only", async () => {
    const wave = oneChunk(25);

    const first = await run({ wave });
    const resumed = BackupMailboxInput.parse(first.continuedAs);
    const { calls, output } = await run({ wave }, first.continuedAs);

    expect(first.output).toBeUndefined();
    expect(resumed.resume?.progress).toMatchObject({ wave: 20, position: { nextChunk: 20, planned: false } });
    expect(JSON.stringify(first.continuedAs).length).toBeLessThan(1_000);
    expect(calls.map(({ name }) => name)).not.toContain("open-run");
    expect(calls.every((call) => (call.input as Wave).runId === resumed.resume?.runId)).toBe(true);
    expect(output).toMatchObject({ totals: { exported: 25 * CHUNK_ITEMS } });
  });

  test("says what it is doing, in the same shape from the start to the end", async () => {
    const { customStatuses } = await run({ wave: oneChunk(2) });
    const phases = customStatuses.map((status) => (status as { phase: string }).phase);

    expect(phases).toEqual(["opening", "waiting", "exporting", "exporting", "exporting", "committing", "done"]);
    expect(customStatuses[3]).toMatchObject({ exported: 500, itemsPerSecond: 100, etaSeconds: 5 });
    expect(customStatuses.at(-1)).toEqual({
      phase: "done",
      runId: expect.any(String),
      planned: 1_000,
      exported: 1_000,
      skipped: 0,
      failed: 0,
      bytes: 14,
      itemsPerSecond: 100,
      lanes: 4,
      throttled: 0,
      etaSeconds: 0,
    });
  });

  test("ends well though its scratch data cannot be removed", async () => {
    const { output } = await run({
      remove: () => {
        throw new Error("storage is down");
      },
    });

    expect(output).toMatchObject({ state: "complete" });
  });

  test.each(["open-run", "export-wave", "commit-snapshot"])(
    "fails with %s, and then only gives back its slots",
    async (name) => {
      const broken = () => {
        throw new Error("beyond repair");
      };
      const failure = runOrchestrator(backupMailbox, {
        input,
        retries: false,
        activities: {
          "share-slots": (asking: Asking) => ({ granted: asking.wanted }),
          "open-run": () => ({ laneBudgetMs: BUDGET_MS }),
          "export-wave": oneChunk(1),
          "commit-snapshot": () => null,
          [name]: broken,
        },
      }).catch((error: unknown) => error);

      const error = (await failure) as OrchestratorFailedError;
      const given = askingsOf(error.run.calls).map(wanted);
      expect(error).toBeInstanceOf(OrchestratorFailedError);
      expect(error.message).toContain("beyond repair");
      expect(error.run.calls.filter(isWork).at(-1)?.name).toBe(name);
      expect(given).toEqual(name === "open-run" ? [] : [4, 0]);
    },
  );
});

describe("backup-mailbox, which shares the mailbox's slots", () => {
  test("uses no more slots than it is granted, and takes more when there are more", async () => {
    const grants = [1, 2, 4];

    const { calls, askings } = await run({
      wave: oneChunk(3),
      share: (asking) => (asking.wanted === 0 ? 0 : (grants.shift() ?? 4)),
    });

    expect(wavesOf(calls).map(({ slots }) => slots)).toEqual([1, 2, 4]);
    expect(askings.map(wanted)).toEqual([4, 4, 4, 0]);
  });

  test("asks nothing of Graph before there is a slot, and says that it waits", async () => {
    const grants = [0, 0];

    const { everyCall, timers, customStatuses } = await run({ share: (asking) => grants.shift() ?? asking.wanted });

    expect(timers).toEqual([1_000, 2_000]);
    expect(everyCall.slice(0, 5).map(({ name }) => name)).toEqual([
      "open-run",
      "share-slots",
      "share-slots",
      "share-slots",
      "export-wave",
    ]);
    const waiting = { for: "slots", until: "2026-11-22T01:00:01.000Z" };
    expect(customStatuses).toContainEqual(expect.objectContaining({ phase: "waiting", waiting }));
  });

  test("gives slots back before the next generation, which holds them under another name", async () => {
    const wave = oneChunk(40);

    const first = await run({ wave });
    const second = await run({ wave }, first.continuedAs);

    const everyWave = Array.from({ length: 20 }, () => 4);
    expect(first.askings.map(wanted)).toEqual([...everyWave, 0]);
    expect(second.askings.map(wanted)).toEqual([...everyWave, 0]);
    expect(new Set(first.askings.map(({ holder }) => holder)).size).toBe(1);
    expect(first.askings.every(({ user, mailboxKey }) => user === "backup" && mailboxKey === aKey)).toBe(true);
  });
});

describe("backup-mailbox, whose vault is damaged", () => {
  test.each(["in a wave", "at the commit"])("starts over when it meets damage %s, and says why", async (when) => {
    const damage = "a part is missing";
    const isWave = when === "in a wave";
    const first = await run({ wave: oneChunk(1, isWave ? { damage } : {}), commit: isWave ? {} : { damage } });
    expect(first.output).toBeUndefined();
    expect(first.continuedAs).toEqual({ ...input, full: false, startOver: true, damage });

    const second = await run({}, first.continuedAs);
    expect(second.calls[0]).toMatchObject({ name: "open-run", input: { startOver: true } });
    expect(second.output).toMatchObject({ state: "complete", damage });
  });

  test("goes by the id that open-run names", async () => {
    const runId = "20991231T235959Z-abc234";
    const { calls, output } = await run({ runId, damage: "a manifest is missing" });
    expect(calls.slice(1).map((call) => (call.input as { runId: string }).runId)).toEqual([runId, runId, runId]);
    expect(output).toMatchObject({ snapshotId: runId, damage: "a manifest is missing" });
  });

  test("tells of it also when the run of what has changed since then meets none", async () => {
    const damage = "a manifest is missing";
    const { continuedAs } = await run({ unfinished, damage });
    expect((await run({}, continuedAs)).output).toMatchObject({ damage });
  });
});
