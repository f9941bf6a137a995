import type { Feature } from "../register.ts";
import { commitSnapshot, discoverMailboxes, exportWave, openRun } from "./backup.contract.ts";
import { findBackupPlaces, takeMailbox } from "./backup-in-turn.contract.ts";
import { backupInTurn } from "./backup-in-turn.orchestrator.ts";
import { backupMailbox } from "./backup-mailbox.orchestrator.ts";
import { backupTenant } from "./backup-tenant.orchestrator.ts";
import { removeScratchActivity } from "./commit/remove-scratch.activity.ts";
import { removeScratch } from "./commit/remove-scratch.contract.ts";
import { commitSnapshotActivity } from "./commit-snapshot.activity.ts";
import { discoverMailboxesActivity } from "./discover/discover-mailboxes.activity.ts";
import { exportMemory } from "./export/export-memory.ts";
import { exportWaveActivity } from "./export/export-wave.activity.ts";
import { findBackupPlacesActivity } from "./find-backup-places.activity.ts";
import { goOnAloneActivity } from "./go-on-alone.activity.ts";
import { goOnAlone } from "./go-on-alone.contract.ts";
import { nightlyBackup } from "./nightly-backup.timer.ts";
import { openRunActivity } from "./open-run.activity.ts";
import { folderScope } from "./plan/folder-scope.ts";
import { planCache } from "./plan/plan-cache.ts";
import { startBackup } from "./start-backup.http.ts";
import { takeMailboxActivity } from "./take-mailbox.activity.ts";

export const backupFunctions: Feature = (register, { backup }, { backup: settings }) => {
  register.timer("nightly-backup", "%BACKUP_SCHEDULE%", nightlyBackup({ ...backup, ...settings }));
  register.http("start-backup", startBackup({ ...backup, ...settings }));

  register.orchestrator("backup-tenant", backupTenant);
  register.orchestrator("backup-in-turn", backupInTurn);
  register.orchestrator("backup-mailbox", backupMailbox);
  register.activityWithHub(discoverMailboxes, discoverMailboxesActivity({ ...backup, ...settings }));
  register.activityWithHub(goOnAlone, goOnAloneActivity(backup));
  register.activityWithHub(takeMailbox, takeMailboxActivity(backup));
  register.activity(findBackupPlaces, findBackupPlacesActivity(backup));
  register.activity(openRun, openRunActivity({ ...backup, ...settings }));
  register.activity(
    exportWave,
    exportWaveActivity({
      ...backup,
      folderScope: folderScope(settings.excludeFolders),
      exportMemory: exportMemory(),
      planCache: planCache(),
    }),
  );
  register.activity(removeScratch, removeScratchActivity(backup));
  register.activity(commitSnapshot, commitSnapshotActivity(backup));
};
