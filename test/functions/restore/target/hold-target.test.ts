import { afterEach, describe, expect, test, vi } from "vitest";
import type * as z from "zod";
import type { RestoreMailboxInput, uploadWave } from "../../../../functions/restore/restore.contract.ts";
import { restoreMailbox } from "../../../../functions/restore/restore-mailbox.orchestrator.ts";
import { keepRestorePlan } from "../../../../functions/restore/restore-state.ts";
import { holdTargetActivity } from "../../../../functions/restore/target/hold-target.activity.ts";
import { holdTarget } from "../../../../functions/restore/target/hold-target.contract.ts";
import { endTarget } from "../../../../functions/restore/target/target-lease.ts";
import type { Behind } from "../../../../shared/durable/waits.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aKey } from "../../../shared/vault/samples.ts";
import { type OrchestratorFailedError, runToEnd } from "../../../support/run-orchestrator.ts";
import { aFakeHub } from "../../fake-hub.ts";
import { aRestoreId, deliver } from "../../kit.ts";
import { anOrder } from "../an-order.ts";

afterEach(() => {
  vi.useRealTimers();
});

const rival = "20261122T093000Z-abc777";
const input: RestoreMailboxInput = { ...anOrder, target: "original", exclusive: true };
const plan = { items: 50, present: 3, bytes: 4_000, chunks: 1, folders: 2, foldersToCreate: 0, laneBudgetMs: 60_000 };
const result = { imported: 50, replaced: 0, present: 3, ambiguous: 0, failed: 0, missing: 0, bytes: 4_000 };
const waits: Behind = { job: `restore-${rival}`, ahead: 1, seconds: 90 };

type Uploaded = z.output<typeof uploadWave.output>;
const uploaded = (overrides: Partial<Uploaded> = {}): Uploaded => ({
  ...{ left: [], imported: 50, replaced: 0, ambiguous: 0, failed: 0, bytes: 4_000 },
  ...{ sessionEnded: false, spent: [], elapsedMs: 1_000, throttled: 0, waitMs: 0 },
  ...overrides,
});
const notHeld = uploaded({ left: [{ from: 0, to: 1 }], imported: 0, bytes: 0, notHeld: true });

/** A restore, by what each question for its mailbox and each wave is answered. */
const restore = (
  answers: readonly object[],
  waves: readonly Uploaded[] = [uploaded()],
  start: unknown = input,
  events: readonly { name: string; afterMs: number }[] = [],
) => {
  let [asked, waved] = [0, 0];
  const nth = <T>(all: readonly T[], n: number): T => all[Math.min(n, all.length - 1)] as T;
  return runToEnd(restoreMailbox, {
    input: start,
    events,
    retries: false,
    activities: {
      "read-wish": () => ({ wish: "go-on" }),
      "hold-target": () => nth(answers, asked++),
      "share-slots": ({ wanted }: { wanted: number }) => ({ granted: wanted }),
      "plan-restore": () => plan,
      "ensure-folders": () => ({ created: 0 }),
      "create-import-session": () => ({ sealed: "sealed", expires: "2026-11-22T02:00:00.000Z" }),
      "upload-wave": () => nth(waves, waved++),
      "reconcile-restore": () => result,
    },
  });
};

const namesOf = ({ calls }: Awaited<ReturnType<typeof restore>>): string[] =>
  calls.map(({ name }) => name).filter((name) => name !== "read-wish");

describe("a restore that wants its mailbox to itself", () => {
  test("takes it before anything else, and says so to all that works on it", async () => {
    const run = await restore([{}]);

    expect(run.calls[1]).toMatchObject({ name: "hold-target", input: { restoreId: aRestoreId, mailboxKey: aKey } });
    const working = run.calls.filter(({ name }) => /plan-restore|ensure-folders|upload-wave/.test(name));
    expect(working).toHaveLength(3);
    for (const call of working) expect(call.input).toMatchObject({ exclusive: true });
    expect(run.output).toEqual(result);
  });

  test("waits without a slot, longer each time, and its status says for which job and about how long", async () => {
    const busy = { waitsFor: waits };
    const run = await restore([busy, busy, busy, busy, busy, {}]);

    expect(run.timers.slice(0, 5)).toEqual([2_000, 4_000, 8_000, 16_000, 30_000]);
    expect(namesOf(run).slice(0, 8)).toEqual([...Array(6).fill("hold-target"), "share-slots", "plan-restore"]);
    expect(run.customStatuses[0]).toMatchObject({
      phase: "waiting",
      waiting: { for: "mailbox", until: "2026-11-22T01:00:02.000Z", ...waits },
    });
    expect(run.customStatuses.at(-1)).not.toHaveProperty("waiting");
    expect(run.output).toEqual(result);
  });

  test("waits each time in another generation, so that its history stays short", async () => {
    const run = await restore([...Array(500).fill({ waitsFor: waits }), {}]);

    expect(run.generations).toBe(501);
    expect(run.output).toEqual(result);
  });

  test("goes on as soon as it is woken", async () => {
    const run = await restore([{ waitsFor: waits }, {}], undefined, input, [{ name: "wake", afterMs: 700 }]);

    expect(run.output).toEqual(result);
    expect(run.ended).toEqual(new Date("2026-11-22T01:00:00.700Z"));
  });

  test("imports no more, and fails, when another has had it since it was planned", async () => {
    const error: unknown = await restore([{}, { passedOn: true }], [notHeld, uploaded()]).catch((thrown) => thrown);

    const { message, run } = error as OrchestratorFailedError;
    expect(message).toContain("start another restore");
    const names = run.calls.map(({ name }) => name).filter((name) => /hold-target|upload-wave|reconcile/.test(name));
    expect(names).toEqual(["hold-target", "upload-wave", "hold-target", "reconcile-restore"]);
  });

  test.each([
    ["a dry run", { ...input, dryRun: true, exclusive: undefined }],
    ["one that began before there were leases", { ...input, exclusive: undefined }],
  ])("is not %s: that asks for none", async (_, start) => {
    expect(namesOf(await restore([{ waitsFor: waits }], undefined, start))).not.toContain("hold-target");
  });
});

describe("hold-target", () => {
  test("names the job that has the mailbox, with the time that it expects to take, until that has ended", async () => {
    const work = memoryBlobs();
    const customStatus = { phase: "importing", etaSeconds: 42 };
    const { clientOf } = aFakeHub({ [`restore-${rival}`]: { runtimeStatus: "Running", customStatus } });
    const hold = (restoreId: string) =>
      deliver(holdTargetActivity({ clientOf, work, state: work }), holdTarget, { restoreId, mailboxKey: aKey });

    expect(await hold(rival)).toEqual({});
    expect(await hold(aRestoreId)).toEqual({ waitsFor: { job: `restore-${rival}`, ahead: 1, seconds: 42 } });
    await endTarget(work, aKey, rival);
    expect(await hold(aRestoreId)).toEqual({});
    expect(await hold(aRestoreId)).toEqual({});
  });

  test("goes by the job of an undo, too, however long that has the mailbox", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const work = memoryBlobs();
    const { clientOf, end } = aFakeHub({ [`undo-${rival}`]: { runtimeStatus: "Running" } });
    const hold = (restoreId: string) =>
      deliver(holdTargetActivity({ clientOf, work, state: work }), holdTarget, { restoreId, mailboxKey: aKey });

    expect(await hold(rival)).toEqual({});
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await hold(aRestoreId)).toEqual({ waitsFor: { job: `undo-${rival}`, ahead: 1 } });
    end(`undo-${rival}`);
    expect(await hold(aRestoreId)).toEqual({});
  });

  test("is refused a restore that has a plan when another has had the mailbox since", async () => {
    const work = memoryBlobs();
    const { clientOf } = aFakeHub({ [`restore-${rival}`]: { runtimeStatus: "Completed" } });
    const hold = (restoreId: string) =>
      deliver(holdTargetActivity({ clientOf, work, state: work }), holdTarget, { restoreId, mailboxKey: aKey });
    await hold(aRestoreId);
    const started = new Date().toISOString();
    const kept = { generation: "g", started, items: 50, present: 0, bytes: 1, chunks: 1, folders: [] };
    await keepRestorePlan(work, aRestoreId, kept);
    await endTarget(work, aKey, aRestoreId);

    expect(await hold(aRestoreId)).toEqual({});
    await endTarget(work, aKey, aRestoreId);
    expect(await hold(rival)).toEqual({});
    expect(await hold(aRestoreId)).toEqual({ passedOn: true });
  });

  test.each([
    ["Terminated", true],
    ["Failed", true],
    ["Suspended", false],
  ])("goes by the state of the job that has the mailbox: %s", async (runtimeStatus, isFree) => {
    const work = memoryBlobs();
    const { clientOf } = aFakeHub({ [`restore-${rival}`]: { runtimeStatus } });
    const hold = (restoreId: string) =>
      deliver(holdTargetActivity({ clientOf, work, state: work }), holdTarget, { restoreId, mailboxKey: aKey });
    await hold(rival);

    expect("waitsFor" in (await hold(aRestoreId))).toBe(!isFree);
  });
});
