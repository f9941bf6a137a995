import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { planRestoreActivity } from "../../../../functions/restore/plan/plan-restore.activity.ts";
import { reconcileRestoreActivity } from "../../../../functions/restore/report/reconcile-restore.activity.ts";
import {
  createImportSession,
  ensureFolders,
  planRestore,
  type RestoreMailboxInput,
  RestoreResult,
  reconcileRestore,
  uploadWave,
} from "../../../../functions/restore/restore.contract.ts";
import { restoreMailbox } from "../../../../functions/restore/restore-mailbox.orchestrator.ts";
import { holdTargetActivity } from "../../../../functions/restore/target/hold-target.activity.ts";
import { holdTarget } from "../../../../functions/restore/target/hold-target.contract.ts";
import { endTarget, takeTarget } from "../../../../functions/restore/target/target-lease.ts";
import { createImportSessionActivity } from "../../../../functions/restore/upload/create-import-session.activity.ts";
import { ensureFoldersActivity } from "../../../../functions/restore/upload/ensure-folders.activity.ts";
import { uploadWaveActivity } from "../../../../functions/restore/upload/upload-wave.activity.ts";
import { shareSlotsActivity } from "../../../../functions/slots/share-slots.activity.ts";
import { shareSlots } from "../../../../functions/slots/slots.contract.ts";
import { restoreInstance } from "../../../../shared/contracts/job-ids.ts";
import type { ActivityContract } from "../../../../shared/durable/activity.ts";
import { importer } from "../../../../shared/graph/import-item.ts";
import { runOrchestrator } from "../../../support/run-orchestrator.ts";
import { aFakeHub } from "../../fake-hub.ts";
import { aRestoreId, deliver } from "../../kit.ts";
import { aRestore, contents } from "../a-restore.ts";

const idOf = (n: number): string => `20261122T09300${n}Z-xyz567`;
const rival = idOf(9);

/** A mailbox that lost its inbox, and whole restores of it, orchestrators and activities, whose jobs are in one hub. */
const aLostInbox = async (restoreIds: readonly string[]) => {
  const kit = await aRestore();
  const lost = await kit.items();
  for (const { id } of lost) await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: id });
  const running = restoreIds.map((id) => [restoreInstance(id), { runtimeStatus: "Running" }] as const);
  const hub = aFakeHub(Object.fromEntries(running));
  const importHosts = [new URL(kit.emulator.importUrl).host];
  const deps = {
    ...kit,
    ...hub,
    importHosts,
    sealer: kit.seals,
    openImporter: importer({ importHosts, userAgent: "test" }),
    laneBudgetMs: 60_000,
  };
  const activity =
    <I extends z.ZodType>(handler: Parameters<typeof deliver>[0], contract: ActivityContract<I>) =>
    (input: z.input<I>) =>
      deliver(handler, contract, input);
  const activities = {
    "hold-target": activity(holdTargetActivity(deps), holdTarget),
    "share-slots": activity(shareSlotsActivity(deps), shareSlots),
    "plan-restore": activity(planRestoreActivity(deps), planRestore),
    "ensure-folders": activity(ensureFoldersActivity(deps), ensureFolders),
    "create-import-session": activity(createImportSessionActivity(deps), createImportSession),
    "upload-wave": activity(uploadWaveActivity({ ...deps, firstLookMs: 5 }), uploadWave),
    "reconcile-restore": activity(reconcileRestoreActivity(deps), reconcileRestore),
  };

  /** All generations of one restore. Its waits take no time. */
  const restore = async (restoreId: string): Promise<RestoreResult> => {
    let input: unknown = {
      restoreId,
      mailbox: kit.mailbox,
      snapshotId: kit.snapshotId,
      select: { all: true },
      target: "original",
      onConflict: "skip",
      dryRun: false,
      exclusive: true,
    } satisfies RestoreMailboxInput;
    for (;;) {
      const run = await runOrchestrator(restoreMailbox, { input, activities, instanceId: restoreInstance(restoreId) });
      input = run.continuedAs;
      if (input !== undefined) continue;
      hub.end(restoreInstance(restoreId));
      return RestoreResult.parse(run.output);
    }
  };
  return { ...kit, lost, restore };
};

describe("restores into one mailbox", () => {
  test("that are asked for three times at once import each item once, and the reports agree", async () => {
    const ids = [idOf(0), idOf(1), idOf(2)];
    const kit = await aLostInbox(ids);

    const results = await Promise.all(ids.map((id) => kit.restore(id)));

    expect(await kit.inbox()).toEqual(contents(kit.lost));
    expect(results.map(({ imported }) => imported).toSorted((a, b) => a - b)).toEqual([0, 0, kit.lost.length]);
    expect(results.map(({ present }) => present).toSorted((a, b) => a - b)).toEqual([0, 6, 6]);
    expect(results.every(({ missing, ambiguous, failed }) => missing + ambiguous + failed === 0)).toBe(true);
    expect((await kit.admin.counters({})).violations).toEqual([]);
  });
});

describe("an activity of a restore that does not have its mailbox", () => {
  const aLateRestore = async () => {
    const kit = await aRestore();
    const take = (restoreId: string) =>
      takeTarget(kit.work, kit.mailbox.key, { restoreId, waits: true }, async () => "ended", Date.now());
    const exclusive = true;
    await take(aRestoreId);
    return { ...kit, take, exclusive };
  };

  test("neither plans nor makes folders", async () => {
    const { plan, take, exclusive } = await aLateRestore();
    await take(rival);

    await expect(plan({ exclusive })).rejects.toThrow("does not have its mailbox to itself");
  });

  test("imports nothing, and its job asks again", async () => {
    const { loseInbox, upload, take, inbox, exclusive } = await aLateRestore();
    const { session } = await loseInbox();
    await take(rival);

    expect(await upload(session, { exclusive })).toMatchObject({ notHeld: true, imported: 0 });
    expect(await inbox()).toEqual([]);
  });

  test("imports under its own, and leaves it to the next when its report is written", async () => {
    const { loseInbox, upload, reconcile, take, mailbox, work, exclusive } = await aLateRestore();
    const alive = (restoreId: string) =>
      takeTarget(work, mailbox.key, { restoreId, waits: true }, async () => "alive", Date.now());
    const { lost, session } = await loseInbox();

    expect(await upload(session, { exclusive })).toMatchObject({ imported: lost.length });
    expect(await alive(rival)).toMatchObject({ first: aRestoreId });
    await reconcile();
    expect(await alive(rival)).toBe(true);
    await endTarget(work, mailbox.key, rival);
    expect(await take(aRestoreId)).toBe(true);
  });
});
