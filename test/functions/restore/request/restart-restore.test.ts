import { describe, expect, test } from "vitest";
import { restartRestore } from "../../../../functions/restore/request/restart-restore.ts";
import type { RestoreOrder } from "../../../../functions/restore/restore.contract.ts";
import { keepRestorePlan } from "../../../../functions/restore/restore-state.ts";
import { endTarget, takeTarget } from "../../../../functions/restore/target/target-lease.ts";
import { restoreInstance } from "../../../../shared/contracts/job-ids.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aKey } from "../../../shared/vault/samples.ts";
import { aFakeHub, aQuietContext } from "../../fake-hub.ts";
import { aRestoreId } from "../../kit.ts";
import { anOrder } from "../an-order.ts";

const rival = "20261122T093000Z-abc777";
const job = restoreInstance(aRestoreId);
const order: RestoreOrder = { ...anOrder, target: "original", exclusive: true };
const counts = { imported: 5, replaced: 0, present: 0, ambiguous: 0, failed: 0, missing: 0, bytes: 1 };

/** A restore that has ended, and that is asked to go on. */
const anEndedRestore = async ({
  input = order,
  isPlanned = true,
  output,
}: {
  readonly input?: RestoreOrder;
  readonly isPlanned?: boolean;
  /** Without one it has failed. */
  readonly output?: object;
} = {}) => {
  const work = memoryBlobs();
  const runtimeStatus = output === undefined ? "Failed" : "Completed";
  const { clientOf, started } = aFakeHub({ [job]: { name: "restore-mailbox", runtimeStatus, input, output } });
  const client = clientOf(aQuietContext());
  /** Another restore, or an undo, that has the mailbox for a while. */
  const passOn = async (restoreId: string): Promise<void> => {
    await takeTarget(work, aKey, { restoreId, waits: true }, async () => "ended");
    await endTarget(work, aKey, restoreId);
  };
  await passOn(aRestoreId);
  const plan = { generation: "g", started: new Date().toISOString(), items: 9, present: 0, bytes: 1, chunks: 1 };
  if (isPlanned) await keepRestorePlan(work, aRestoreId, { ...plan, folders: [] });
  const restart = async () => restartRestore({ work, state: work })(client, await client.getStatus(job));
  return { started, passOn, restart };
};

describe("resuming a restore that has ended", () => {
  test.each([
    ["failed", undefined],
    ["was cancelled", { ...counts, stopped: { reason: "cancelled" } }],
  ])("begins it anew with its order when it %s", async (_, output) => {
    const { restart, started } = await anEndedRestore(output && { output });

    expect(await restart()).toBeUndefined();
    expect(started).toEqual([{ name: "restore-mailbox", instanceId: job, input: order }]);
  });

  test("is refused when another job has had the mailbox since it was planned", async () => {
    const { restart, started, passOn } = await anEndedRestore();
    await passOn(rival);

    expect(await restart()).toMatchObject({ status: 409, type: "/problems/mailbox-passed-on" });
    expect(started).toEqual([]);
  });

  test("is not refused when it was not planned before: it plans with what is there then", async () => {
    const { restart, started, passOn } = await anEndedRestore({ isPlanned: false });
    await passOn(rival);

    expect(await restart()).toBeUndefined();
    expect(started).toHaveLength(1);
  });

  test("is refused when the reviewed plan that it carries out is not kept any more", async () => {
    const { restart } = await anEndedRestore({ isPlanned: false, input: { ...order, planOf: rival } });

    expect(await restart()).toMatchObject({ status: 410, type: "/problems/plan-expired" });
  });

  test.each([
    ["has done its work", { output: counts }],
    ["is a dry run", { input: { ...order, dryRun: true }, output: { ...counts, stopped: { reason: "cancelled" } } }],
  ])("is refused when it %s", async (_, options) => {
    const { restart, started } = await anEndedRestore(options);

    expect(await restart()).toMatchObject({ status: 409, type: "/problems/job-state" });
    expect(started).toEqual([]);
  });
});
