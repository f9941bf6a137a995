import type { Feature } from "../register.ts";
import { planRestoreActivity } from "./plan/plan-restore.activity.ts";
import { getReport } from "./report/get-report.http.ts";
import { reconcileRestoreActivity } from "./report/reconcile-restore.activity.ts";
import { startRestore } from "./request/start-restore.http.ts";
import { createImportSession, ensureFolders, planRestore, reconcileRestore, uploadWave } from "./restore.contract.ts";
import { restoreInTurn } from "./restore-in-turn.orchestrator.ts";
import { takeRestore } from "./restore-list.contract.ts";
import { restoreMailbox } from "./restore-mailbox.orchestrator.ts";
import { restoreMailboxes } from "./restore-mailboxes.orchestrator.ts";
import { takeRestoreActivity } from "./take-restore.activity.ts";
import { holdTargetActivity } from "./target/hold-target.activity.ts";
import { holdTarget } from "./target/hold-target.contract.ts";
import { removeFolderActivity } from "./undo/remove-folder.activity.ts";
import { reportUndoActivity } from "./undo/report-undo.activity.ts";
import { startUndo } from "./undo/start-undo.http.ts";
import { removeFolder, reportUndo, undoWave } from "./undo/undo.contract.ts";
import { undoRestore } from "./undo/undo-restore.orchestrator.ts";
import { undoWaveActivity } from "./undo/undo-wave.activity.ts";
import { createImportSessionActivity } from "./upload/create-import-session.activity.ts";
import { ensureFoldersActivity } from "./upload/ensure-folders.activity.ts";
import { FIRST_LOOK_MS } from "./upload/look-up.ts";
import { uploadWaveActivity } from "./upload/upload-wave.activity.ts";

export const restoreFunctions: Feature = (register, { restore, translator }, config) => {
  const { laneBudgetMs } = config.backup;
  const { window, waitDivisor, mayDeleteItems } = config.restore;
  register.http("start-restore", startRestore({ ...restore, translator, window }));
  register.http("get-report", getReport(restore));

  register.orchestrator("restore-mailboxes", restoreMailboxes);
  register.orchestrator("restore-in-turn", restoreInTurn);
  register.orchestrator("restore-mailbox", restoreMailbox);
  register.activity(takeRestore, takeRestoreActivity(restore));
  register.activityWithHub(holdTarget, holdTargetActivity(restore));
  register.activity(planRestore, planRestoreActivity({ ...restore, laneBudgetMs }));
  register.activity(ensureFolders, ensureFoldersActivity(restore));
  register.activity(createImportSession, createImportSessionActivity(restore));
  register.activity(uploadWave, uploadWaveActivity({ ...restore, firstLookMs: FIRST_LOOK_MS / waitDivisor }));
  register.activity(reconcileRestore, reconcileRestoreActivity(restore));

  register.http("start-undo", startUndo({ ...restore, laneBudgetMs, mayDeleteItems }));
  register.orchestrator("undo-restore", undoRestore);
  register.activity(removeFolder, removeFolderActivity(restore));
  register.activity(undoWave, undoWaveActivity({ ...restore, mayDeleteItems }));
  register.activity(reportUndo, reportUndoActivity({ ...restore, mayDeleteItems }));
};
