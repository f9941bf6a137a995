import type * as z from "zod";
import { readWishActivity } from "../../../functions/jobs/read-wish.activity.ts";
import { readWish } from "../../../functions/jobs/wish.contract.ts";
import { planRestoreActivity } from "../../../functions/restore/plan/plan-restore.activity.ts";
import { reconcileRestoreActivity } from "../../../functions/restore/report/reconcile-restore.activity.ts";
import {
  createImportSession,
  ensureFolders,
  planRestore,
  type RestoreMailboxInput,
  RestoreResult,
  reconcileRestore,
  uploadWave,
} from "../../../functions/restore/restore.contract.ts";
import { restoreMailbox } from "../../../functions/restore/restore-mailbox.orchestrator.ts";
import { holdTargetActivity } from "../../../functions/restore/target/hold-target.activity.ts";
import { holdTarget } from "../../../functions/restore/target/hold-target.contract.ts";
import { createImportSessionActivity } from "../../../functions/restore/upload/create-import-session.activity.ts";
import { ensureFoldersActivity } from "../../../functions/restore/upload/ensure-folders.activity.ts";
import { uploadWaveActivity } from "../../../functions/restore/upload/upload-wave.activity.ts";
import { shareSlotsActivity } from "../../../functions/slots/share-slots.activity.ts";
import { shareSlots } from "../../../functions/slots/slots.contract.ts";
import { restoreInstance } from "../../../shared/contracts/job-ids.ts";
import type { ActivityContract } from "../../../shared/durable/activity.ts";
import { importer } from "../../../shared/graph/import-item.ts";
import { runToEnd } from "../../support/run-orchestrator.ts";
import { aFakeHub } from "../fake-hub.ts";
import { deliver } from "../kit.ts";
import { aRestore } from "./a-restore.ts";

/** A mailbox that lost its inbox, and whole restores of it, orchestrators and activities, whose jobs are in one hub. */
export const aLostInbox = async (restoreIds: readonly string[], ...options: Parameters<typeof aRestore>) => {
  const kit = await aRestore(...options);
  const lost = await kit.items();
  for (const { id } of lost) await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: id });
  const running = restoreIds.map((id) => [restoreInstance(id), { runtimeStatus: "Running" }] as const);
  const hub = aFakeHub(Object.fromEntries(running));
  const importHosts = [new URL(kit.emulator.importUrl).host];
  const deps = {
    ...kit,
    ...hub,
    importHosts,
    state: kit.work,
    sealer: kit.seals,
    openImporter: importer({ importHosts, userAgent: "test" }),
    laneBudgetMs: 60_000,
  };
  const activity =
    <I extends z.ZodType>(handler: Parameters<typeof deliver>[0], contract: ActivityContract<I>) =>
    (input: z.input<I>) =>
      deliver(handler, contract, input);
  const activities = {
    "read-wish": activity(readWishActivity({ state: kit.work }), readWish),
    "hold-target": activity(holdTargetActivity(deps), holdTarget),
    "share-slots": activity(shareSlotsActivity(deps), shareSlots),
    "plan-restore": activity(planRestoreActivity(deps), planRestore),
    "ensure-folders": activity(ensureFoldersActivity(deps), ensureFolders),
    "create-import-session": activity(createImportSessionActivity(deps), createImportSession),
    "upload-wave": activity(uploadWaveActivity({ ...deps, firstLookMs: 5 }), uploadWave),
    "reconcile-restore": activity(reconcileRestoreActivity(deps), reconcileRestore),
  };

  /** All generations of one restore. Its waits take no time. */
  const restore = async (restoreId: string) => {
    const input = {
      restoreId,
      mailbox: kit.mailbox,
      snapshotId: kit.snapshotId,
      select: { all: true },
      target: "original",
      onConflict: "skip",
      dryRun: false,
      exclusive: true,
    } satisfies RestoreMailboxInput;
    const instanceId = restoreInstance(restoreId);
    const run = await runToEnd(restoreMailbox, { input, activities, instanceId });
    hub.end(instanceId);
    return { ...run, result: RestoreResult.parse(run.output) };
  };
  return { ...kit, lost, restore };
};
