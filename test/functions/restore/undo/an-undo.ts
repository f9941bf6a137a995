import { expect } from "vitest";
import type * as z from "zod";
import { readWishActivity } from "../../../../functions/jobs/read-wish.activity.ts";
import { readWish } from "../../../../functions/jobs/wish.contract.ts";
import type { RestoreMailboxInput } from "../../../../functions/restore/restore.contract.ts";
import { readFolderMap } from "../../../../functions/restore/restore-state.ts";
import { holdTargetActivity } from "../../../../functions/restore/target/hold-target.activity.ts";
import { holdTarget } from "../../../../functions/restore/target/hold-target.contract.ts";
import { removeFolderActivity } from "../../../../functions/restore/undo/remove-folder.activity.ts";
import { reportUndoActivity } from "../../../../functions/restore/undo/report-undo.activity.ts";
import {
  removeFolder,
  reportUndo,
  type UndoRestoreInput,
  UndoResult,
  undoWave,
} from "../../../../functions/restore/undo/undo.contract.ts";
import { UndoEntry } from "../../../../functions/restore/undo/undo-ledger.ts";
import { findUndoReport } from "../../../../functions/restore/undo/undo-report.ts";
import { undoRestore } from "../../../../functions/restore/undo/undo-restore.orchestrator.ts";
import { undoWaveActivity } from "../../../../functions/restore/undo/undo-wave.activity.ts";
import { blobLedgersOf } from "../../../../functions/restore/upload/ledger.ts";
import { shareSlotsActivity } from "../../../../functions/slots/share-slots.activity.ts";
import { shareSlots } from "../../../../functions/slots/slots.contract.ts";
import { restoreInstance, undoInstance } from "../../../../shared/contracts/job-ids.ts";
import type { ActivityContract } from "../../../../shared/durable/activity.ts";
import { graph } from "../../../../shared/graph/graph-client.ts";
import { dutyCredential } from "../../../../shared/security/credentials.ts";
import { runToEnd } from "../../../support/run-orchestrator.ts";
import { aFakeHub } from "../../fake-hub.ts";
import { aRestoreId, deliver } from "../../kit.ts";
import { aRestore } from "../a-restore.ts";

export const undoIdOf = (n: number): string => `20261122T10300${n}Z-und567`;

/** The rights of the identity that restores, as infra/identity/grants.json has them. */
const RESTORE_ROLES = [
  "User.Read.All",
  "MailboxFolder.ReadWrite.All",
  "MailboxItem.Read.All",
  "MailboxItem.ImportExport.All",
];
const DELETE_ITEMS = "MailboxItem.ReadWrite.All";

const TOKEN = "restore-token";

interface Options {
  readonly items?: number;
  readonly target?: RestoreMailboxInput["target"];
  readonly latencyMs?: number;
  readonly behaviours?: Readonly<Record<string, unknown>>;
  /** Whether Graph lets the app delete items; and whether the app's setting says so. */
  readonly isPermitted?: boolean;
  readonly mayDeleteItems?: boolean;
  /** Whether the restore compares the target with its plan, at its end. */
  readonly reconciles?: boolean;
  /** Whether it came to import anything. */
  readonly isUploaded?: boolean;
}

/** A mailbox whose inbox was lost and restored, and undos of that restore, orchestrators and activities. */
export const aRestoreToUndo = async ({
  items = 6,
  target = "new-folder",
  latencyMs = 0,
  behaviours = {},
  isPermitted = false,
  mayDeleteItems = isPermitted,
  reconciles = true,
  isUploaded = true,
}: Options = {}) => {
  const kit = await aRestore({ items }, { settings: { latencyMs, behaviours } });
  const { admin, emulator, mailbox, work, container, ledgers } = kit;
  const roles = isPermitted ? [...RESTORE_ROLES, DELETE_ITEMS] : RESTORE_ROLES;
  await admin["add-app"]({ appId: "restore-app", token: TOKEN, roles });
  const openGraph = graph({
    endpoint: emulator.graphUrl,
    credential: dutyCredential({ kind: "local-token", token: TOKEN }),
    userAgent: "test",
  });

  if (target === "original")
    for (const { id } of await kit.items()) await admin["remove-item"]({ mailbox: mailbox.id, item: id });
  const before = new Set((await admin.folders({ mailbox: mailbox.id })).map(({ id }) => id));
  const { chunks } = await kit.plan({ target });
  await kit.makeFolders();
  const session = await kit.openSession();
  if (isUploaded) await kit.uploadAll(session, { pending: [{ from: 0, to: chunks }] });
  if (reconciles) await kit.reconcile();

  const hub = aFakeHub({ [restoreInstance(aRestoreId)]: { name: "restore-mailbox", runtimeStatus: "Completed" } });
  const undoLedgers = blobLedgersOf(container, UndoEntry);
  const deps = { ...kit, ...hub, openGraph, work, state: work, ledgers, undoLedgers, mayDeleteItems, holdMs: 3_000 };

  const activity =
    <I extends z.ZodType>(handler: Parameters<typeof deliver>[0], contract: ActivityContract<I>) =>
    (input: z.input<I>) =>
      deliver(handler, contract, input);
  const activities = {
    "read-wish": activity(readWishActivity(deps), readWish),
    "hold-target": activity(holdTargetActivity(deps), holdTarget),
    "share-slots": activity(shareSlotsActivity(deps), shareSlots),
    "remove-restored-folder": activity(removeFolderActivity(deps), removeFolder),
    "undo-wave": activity(undoWaveActivity(deps), undoWave),
    "report-undo": activity(reportUndoActivity(deps), reportUndo),
  };

  /** The wave with other parts. */
  const waveWith = (parts: Partial<typeof deps>) => activity(undoWaveActivity({ ...deps, ...parts }), undoWave);

  const removalWith = (parts: Partial<typeof deps>) =>
    activity(removeFolderActivity({ ...deps, ...parts }), removeFolder);

  interface UndoOptions {
    readonly undoId?: string;
    readonly dryRun?: boolean;
    /** Stand-ins for activities. */
    readonly instead?: Readonly<Record<string, (input: never, real: typeof activities) => unknown>>;
  }
  /** All generations of one undo. Its waits take no time. */
  const undo = async ({ undoId = undoIdOf(0), dryRun = false, instead = {} }: UndoOptions = {}) => {
    const replaced = Object.entries(instead).map(([name, stub]) => [
      name,
      (input: unknown) => stub(input as never, activities),
    ]);
    const input = {
      undoId,
      restoreId: aRestoreId,
      mailbox: kit.into ?? mailbox,
      dryRun,
      ownFolder: target === "new-folder",
      chunks,
      laneBudgetMs: 60_000,
    } satisfies UndoRestoreInput;
    const { output } = await runToEnd(undoRestore, {
      input,
      activities: { ...activities, ...Object.fromEntries(replaced) },
      instanceId: undoInstance(undoId),
    });
    return UndoResult.parse(output);
  };
  const undoReport = async (undoId = undoIdOf(0)) =>
    (await findUndoReport(work, undoId)) ?? expect.fail("there is no report");

  const map = await readFolderMap(work, aRestoreId);
  const inbox = (await admin.folders({ mailbox: mailbox.id })).find(({ wellKnownName }) => wellKnownName === "inbox");
  const restoredTo = map[inbox?.id ?? ""] ?? "";
  /** What is in the folder that the items were restored to. */
  const restored = () => kit.items(restoredTo);
  const newFolders = async () =>
    (await admin.folders({ mailbox: mailbox.id })).filter(({ id }) => !before.has(id)).map(({ id }) => id);
  return {
    ...kit,
    hub,
    openGraph,
    deps,
    activities,
    waveWith,
    removalWith,
    undo,
    undoReport,
    restored,
    restoredTo,
    topId: map[""] ?? "",
    newFolders,
  };
};

export type UndoKit = Awaited<ReturnType<typeof aRestoreToUndo>>;

/** A person changes one of the restored items, moves one, deletes one, and adds one of their own. */
export const meddle = async ({ admin, mailbox, restored, restoredTo }: UndoKit) => {
  const [changed, moved, deleted] = await restored();
  const of = { mailbox: mailbox.id };
  await admin["change-item"]({ ...of, item: changed?.id ?? "", subject: "by hand" });
  const { id: movedTo } = await admin["move-item"]({ ...of, item: moved?.id ?? "", folder: "sentitems" });
  await admin["remove-item"]({ ...of, item: deleted?.id ?? "" });
  const { ids } = await admin["create-items"]({ ...of, folder: restoredTo, subject: "my own" });
  return { changed: changed?.id ?? "", movedTo, own: ids[0] ?? "" };
};
