import { app } from "@azure/functions";
import { blobAuditLog } from "../shared/audit/blob-audit-log.ts";
import { readConfig, secretsIn } from "../shared/config.ts";
import { clientOf, durableClient } from "../shared/durable/client.ts";
import { activity, activityWithClient, orchestrator } from "../shared/durable/register.ts";
import { graph } from "../shared/graph/graph-client.ts";
import { importer } from "../shared/graph/import-item.ts";
import { openSlots } from "../shared/graph/slots.ts";
import { guardOf, type SignedInHandler } from "../shared/http/guard.ts";
import { watchAnswers } from "../shared/http/paced-body.ts";
import { PROGRAM } from "../shared/program.ts";
import { dutyCredential } from "../shared/security/credentials.ts";
import { onBehalfOf } from "../shared/security/on-behalf-of.ts";
import { principalOf } from "../shared/security/principal.ts";
import { redactError, redactor } from "../shared/security/redact.ts";
import { sealer } from "../shared/security/seal.ts";
import { azureBlobs } from "../shared/storage/azure-blobs.ts";
import {
  auditContainer,
  blobService,
  stateContainer,
  vaultContainer,
  workContainer,
} from "../shared/storage/containers.ts";
import { commitSnapshot, discoverMailboxes, exportWave, openRun, takeMailbox } from "./backup/backup.contract.ts";
import { backupInTurn } from "./backup/backup-in-turn.orchestrator.ts";
import { backupMailbox } from "./backup/backup-mailbox.orchestrator.ts";
import { backupTenant } from "./backup/backup-tenant.orchestrator.ts";
import { commitSnapshotActivity } from "./backup/commit-snapshot.activity.ts";
import { discoverMailboxesActivity } from "./backup/discover/discover-mailboxes.activity.ts";
import { exportWaveActivity } from "./backup/export/export-wave.activity.ts";
import { nightlyBackup } from "./backup/nightly-backup.timer.ts";
import { openRunActivity } from "./backup/open-run.activity.ts";
import { folderScope } from "./backup/plan/folder-scope.ts";
import { planMemories } from "./backup/plan/plan-memories.ts";
import { startBackup } from "./backup/start-backup.http.ts";
import { takeMailboxActivity } from "./backup/take-mailbox.activity.ts";
import { getSnapshot } from "./browse/get-snapshot.http.ts";
import { getFolders } from "./browse/list-folders.http.ts";
import { getItems } from "./browse/list-items.http.ts";
import { getMailboxes } from "./browse/list-mailboxes.http.ts";
import { getProblems } from "./browse/list-problems.http.ts";
import { getSnapshots } from "./browse/list-snapshots.http.ts";
import { scanCoverage, sharedScan } from "./coverage/coverage-scan.ts";
import { getCoverage } from "./coverage/get-coverage.http.ts";
import { getCoverageMetrics } from "./coverage/get-coverage-metrics.http.ts";
import { getHealth } from "./coverage/health.http.ts";
import { watchCoverage } from "./coverage/watch-coverage.timer.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { followUpSnapshot } from "./follow-up/follow-up-snapshot.orchestrator.ts";
import { snapshotWritten } from "./follow-up/snapshot-written.event.ts";
import { holdLeaverActivity } from "./holds/hold-leaver.activity.ts";
import { holdLeaver, startLastBackup } from "./holds/leaver.contract.ts";
import { protectLeaver } from "./holds/protect-leaver.orchestrator.ts";
import { releaseHold } from "./holds/release-hold.http.ts";
import { setHold } from "./holds/set-hold.http.ts";
import { startLastBackupActivity } from "./holds/start-last-backup.activity.ts";
import { userChanged } from "./holds/user-changed.event.ts";
import { getTranslations } from "./id-translation/get-translations.http.ts";
import { translateIds } from "./id-translation/id-translation.contract.ts";
import { startTranslation } from "./id-translation/start-translation.http.ts";
import { translateIdsOfMailbox } from "./id-translation/translate-exchange-ids.orchestrator.ts";
import { translateIdsActivity } from "./id-translation/translate-ids.activity.ts";
import { appTranslator, callerTranslator } from "./id-translation/translator.ts";
import { getJob } from "./jobs/get-job.http.ts";
import { steerJob } from "./jobs/steer-job.http.ts";
import { cancelJob, pauseJob, resumeJob } from "./jobs/steer-job.ts";
import { notifier } from "./notify/notifier.ts";
import { notifyActivity } from "./notify/notify.activity.ts";
import { notify } from "./notify/notify.contract.ts";
import { webhook } from "./notify/webhook.ts";
import { checkPersonalDataExportActivity } from "./personal-data/check-personal-data-export.activity.ts";
import { copyMailboxDataActivity } from "./personal-data/copy-mailbox-data.activity.ts";
import { deletePersonalDataExport } from "./personal-data/delete-personal-data-export.http.ts";
import { exportPersonalData } from "./personal-data/export-personal-data.orchestrator.ts";
import { getPersonalDataExport } from "./personal-data/get-personal-data-export.http.ts";
import { getPersonalDataFile } from "./personal-data/get-personal-data-file.http.ts";
import { listPersonalDataActivity } from "./personal-data/list-personal-data.activity.ts";
import { azurePackages } from "./personal-data/packages.ts";
import {
  checkPersonalDataExport,
  copyMailboxData,
  listPersonalData,
  requestPersonalDataExport,
} from "./personal-data/personal-data.contract.ts";
import { personalDataWritten } from "./personal-data/personal-data-written.event.ts";
import { requestPersonalDataExportActivity } from "./personal-data/request-personal-data-export.activity.ts";
import { startPersonalDataExport } from "./personal-data/start-personal-data-export.http.ts";
import { closeRehearsalActivity } from "./rehearsal/close-rehearsal.activity.ts";
import { getRehearsals } from "./rehearsal/list-rehearsals.http.ts";
import { openRehearsalActivity } from "./rehearsal/open-rehearsal.activity.ts";
import { closeRehearsal, openRehearsal } from "./rehearsal/rehearsal.contract.ts";
import { rehearseRestore } from "./rehearsal/rehearse-restore.timer.ts";
import { runRehearsal } from "./rehearsal/run-rehearsal.orchestrator.ts";
import { planRestoreActivity } from "./restore/plan/plan-restore.activity.ts";
import { getReport } from "./restore/report/get-report.http.ts";
import { reconcileRestoreActivity } from "./restore/report/reconcile-restore.activity.ts";
import { startRestore } from "./restore/request/start-restore.http.ts";
import {
  createImportSession,
  ensureFolders,
  planRestore,
  reconcileRestore,
  uploadWave,
} from "./restore/restore.contract.ts";
import { restoreInTurn } from "./restore/restore-in-turn.orchestrator.ts";
import { takeRestore } from "./restore/restore-list.contract.ts";
import { restoreMailbox } from "./restore/restore-mailbox.orchestrator.ts";
import { restoreMailboxes } from "./restore/restore-mailboxes.orchestrator.ts";
import { takeRestoreActivity } from "./restore/take-restore.activity.ts";
import { createImportSessionActivity } from "./restore/upload/create-import-session.activity.ts";
import { ensureFoldersActivity } from "./restore/upload/ensure-folders.activity.ts";
import { blobLedgers } from "./restore/upload/ledger.ts";
import { uploadWaveActivity } from "./restore/upload/upload-wave.activity.ts";
import { cleanMailbox } from "./retention/clean-mailbox.orchestrator.ts";
import { cleanVault } from "./retention/clean-vault.orchestrator.ts";
import { compactMailboxActivity } from "./retention/compact-mailbox.activity.ts";
import { nightlyRetention } from "./retention/nightly-retention.timer.ts";
import { retainMailboxActivity } from "./retention/retain-mailbox.activity.ts";
import { retainMailboxesActivity } from "./retention/retain-mailboxes.activity.ts";
import { compactMailbox, retainMailbox, retainMailboxes } from "./retention/retention.contract.ts";
import { startRetention } from "./retention/start-retention.http.ts";
import { shareSlotsActivity } from "./slots/share-slots.activity.ts";
import { shareSlots } from "./slots/slots.contract.ts";
import { getVerification } from "./verify/get-verification.http.ts";
import { rotatingVerify } from "./verify/rotating-verify.timer.ts";
import { startVerify } from "./verify/start-verify.http.ts";
import { verifyWave } from "./verify/verify.contract.ts";
import { verifyVault } from "./verify/verify-vault.orchestrator.ts";
import { verifyWaveActivity } from "./verify/verify-wave.activity.ts";

const config = readConfig();
const {
  graph: graphConfig,
  storage,
  sealKey,
  authentication,
  idTranslation,
  backup,
  restore,
  retention: policy,
  followUp,
  personalData,
} = config;
const { endpoint, importHosts } = graphConfig;
const { archives, exclude, excludeFolders, intervalMs, laneBudgetMs, scope, window } = backup;
const { leaverHoldDays, rehearsal } = followUp;

const backupCredential = dutyCredential(graphConfig.backup);
const restoreCredential = dutyCredential(graphConfig.restore);
const privacyCredential = dutyCredential(graphConfig.privacy);
/** Batches that a process exports at a time, of whatever mailboxes: each takes up to 10 MiB. More want more processes. */
const MOST_EXPORTS = 10;

/** When what no snapshot needs is removed: after the night's backups, where those begin soon after midnight. */
const RETENTION_SCHEDULE = "0 0 11 * * *";

const exportGraph = graph({ endpoint, credential: backupCredential, userAgent: PROGRAM });
const importGraph = graph({ endpoint, credential: restoreCredential, userAgent: PROGRAM });
const privacyGraph = graph({ endpoint, credential: privacyCredential, userAgent: PROGRAM });
const openImporter = importer({ importHosts, userAgent: PROGRAM });
const translator =
  idTranslation.by === "app"
    ? appTranslator(exportGraph)
    : callerTranslator({
        scope: `${endpoint}/.default`,
        credentialOf: onBehalfOf(
          { tenantId: idTranslation.tenantId, clientId: idTranslation.clientId },
          backupCredential,
        ),
        graphAs: (credential) => graph({ endpoint, credential, userAgent: PROGRAM }),
      });
const seals = sealer(sealKey);
const guard = guardOf(principalOf(authentication));

const serve = (name: keyof typeof ENDPOINTS, handler: SignedInHandler): void => {
  const { method, route, callers } = ENDPOINTS[name];
  app.http(name, { methods: [method], route, extraInputs: [durableClient], handler: guard(callers, handler) });
};

const backupStorage = blobService(storage, backupCredential);
const restoreStorage = blobService(storage, restoreCredential);
const vault = azureBlobs(vaultContainer(backupStorage));
const work = azureBlobs(workContainer(backupStorage));
const state = azureBlobs(stateContainer(backupStorage));
const vaultToRead = azureBlobs(vaultContainer(restoreStorage));
const restoreWork = azureBlobs(workContainer(restoreStorage));
const ledgers = blobLedgers(workContainer(restoreStorage));
const audit = blobAuditLog(auditContainer(restoreStorage));
const tellPeople = notifier({
  state,
  post: followUp.webhook && webhook(followUp.webhook, { userAgent: PROGRAM }),
});
const privacyStorage = blobService(storage, privacyCredential);
const privacyVault = azureBlobs(vaultContainer(privacyStorage));
const privacyWork = azureBlobs(workContainer(privacyStorage));
const packages = azurePackages(privacyStorage, { kind: storage.kind, sasMs: personalData.sasMs });

// A million ids in a request, and files of a package, are more than may be in memory: they pass through as streams.
app.setup({ enableHttpStream: true });
watchAnswers();

const redact = redactor(secretsIn(config));
app.hook.log((line) => {
  line.message = redact(line.message);
});
app.hook.postInvocation((ended) => {
  // An orchestrator's error carries the state of its turn, which must arrive whole; what went wrong, an activity said.
  if (ended.invocationContext.options.trigger.type !== "orchestrationTrigger")
    ended.error = redactError(ended.error, redact);
});

app.timer("nightly-backup", {
  schedule: "%BACKUP_SCHEDULE%",
  extraInputs: [durableClient],
  handler: nightlyBackup({ clientOf, window }),
});
serve("start-backup", startBackup({ clientOf, openGraph: exportGraph, vault, window }));
orchestrator("backup-tenant", backupTenant);
orchestrator("backup-in-turn", backupInTurn);
orchestrator("backup-mailbox", backupMailbox);
activityWithClient(
  discoverMailboxes,
  discoverMailboxesActivity({ openGraph: exportGraph, scope, exclude, archives, clientOf, work, state }),
);
activity(takeMailbox, takeMailboxActivity({ work }));
activity(openRun, openRunActivity({ vault, work, laneBudgetMs }));
activity(
  exportWave,
  exportWaveActivity({
    openGraph: exportGraph,
    vault,
    work,
    folderScope: folderScope(excludeFolders),
    hands: openSlots(MOST_EXPORTS),
    memories: planMemories(),
  }),
);
activity(commitSnapshot, commitSnapshotActivity({ vault, work, state }));

serve(
  "start-restore",
  startRestore({
    clientOf,
    openGraph: importGraph,
    translator,
    vault: vaultToRead,
    work: restoreWork,
    audit,
    window: restore.window,
  }),
);
serve("get-report", getReport({ clientOf, work: restoreWork }));
orchestrator("restore-mailboxes", restoreMailboxes);
orchestrator("restore-in-turn", restoreInTurn);
orchestrator("restore-mailbox", restoreMailbox);
activity(takeRestore, takeRestoreActivity({ work: restoreWork }));
activity(shareSlots, shareSlotsActivity({ work }));
activity(
  planRestore,
  planRestoreActivity({ openGraph: importGraph, vault: vaultToRead, work: restoreWork, laneBudgetMs }),
);
activity(ensureFolders, ensureFoldersActivity({ openGraph: importGraph, work: restoreWork }));
activity(createImportSession, createImportSessionActivity({ openGraph: importGraph, importHosts, sealer: seals }));
activity(
  uploadWave,
  uploadWaveActivity({
    openGraph: importGraph,
    openImporter,
    importHosts,
    sealer: seals,
    vault: vaultToRead,
    work: restoreWork,
    ledgers,
  }),
);
activity(reconcileRestore, reconcileRestoreActivity({ openGraph: importGraph, work: restoreWork, ledgers }));

activity(compactMailbox, compactMailboxActivity({ vault }));
const retaining = { vault, state, policy, clientOf, laneBudgetMs };
activityWithClient(retainMailbox, retainMailboxActivity(retaining));
activityWithClient(retainMailboxes, retainMailboxesActivity(retaining));
orchestrator("clean-mailbox", cleanMailbox);
orchestrator("clean-vault", cleanVault);
app.timer("nightly-retention", {
  schedule: RETENTION_SCHEDULE,
  extraInputs: [durableClient],
  handler: nightlyRetention({ clientOf, policy }),
});
serve("start-retention", startRetention({ clientOf, openGraph: exportGraph, vault, audit, policy }));
serve("set-hold", setHold({ openGraph: exportGraph, vault, audit }));
serve("release-hold", releaseHold({ openGraph: exportGraph, vault, audit }));
app.timer("rotating-verify", {
  schedule: config.verify.schedule,
  extraInputs: [durableClient],
  handler: rotatingVerify({ clientOf, days: config.verify.days }),
});
serve("start-verify", startVerify({ clientOf, openGraph: exportGraph, vault }));
serve("get-verification", getVerification({ openGraph: exportGraph, vault, state }));
orchestrator("verify-vault", verifyVault);
activity(verifyWave, verifyWaveActivity({ vault, work, state, budgetMs: laneBudgetMs }));
serve(
  "start-personal-data-export",
  startPersonalDataExport({
    clientOf,
    openGraph: privacyGraph,
    vault: privacyVault,
    work: privacyWork,
    audit: blobAuditLog(auditContainer(privacyStorage)),
    archives,
    timeoutMs: personalData.timeoutMs,
  }),
);
serve("get-personal-data-export", getPersonalDataExport({ clientOf, packages, deadlineMs: personalData.deadlineMs }));
serve("get-personal-data-file", getPersonalDataFile({ packages }));
serve("delete-personal-data-export", deletePersonalDataExport({ clientOf, packages }));
orchestrator("export-personal-data", exportPersonalData);
activity(
  requestPersonalDataExport,
  requestPersonalDataExportActivity({ openGraph: privacyGraph, packages, work: privacyWork }),
);
activity(checkPersonalDataExport, checkPersonalDataExportActivity({ openGraph: privacyGraph }));
activity(copyMailboxData, copyMailboxDataActivity({ vault: privacyVault, packages, work: privacyWork, laneBudgetMs }));
activity(listPersonalData, listPersonalDataActivity({ packages, work: privacyWork, laneBudgetMs }));
app.eventGrid("personal-data-written", {
  extraInputs: [durableClient],
  handler: personalDataWritten({ clientOf, source: followUp.eventSource }),
});

serve("start-translation", startTranslation({ clientOf, openGraph: exportGraph, translator, vault, work }));
serve("get-translations", getTranslations({ clientOf, work }));
orchestrator("translate-exchange-ids", translateIdsOfMailbox);
activity(translateIds, translateIdsActivity({ openGraph: exportGraph, work, laneBudgetMs }));

app.eventGrid("snapshot-written", {
  extraInputs: [durableClient],
  handler: snapshotWritten({ clientOf, vault, source: followUp.eventSource }),
});
orchestrator("follow-up-snapshot", followUpSnapshot);

app.eventGrid("user-changed", {
  extraInputs: [durableClient],
  handler: userChanged({ clientOf, openGraph: exportGraph, vault, state, exclude }),
});
orchestrator("protect-leaver", protectLeaver);
activity(holdLeaver, holdLeaverActivity({ vault, holdDays: leaverHoldDays }));
activityWithClient(startLastBackup, startLastBackupActivity({ clientOf }));

activity(notify, notifyActivity({ notifier: tellPeople }));

app.timer("rehearse-restore", {
  schedule: rehearsal.schedule,
  extraInputs: [durableClient],
  handler: rehearseRestore({ clientOf, mailbox: rehearsal.mailbox }),
});
orchestrator("run-rehearsal", runRehearsal);
activityWithClient(
  openRehearsal,
  openRehearsalActivity({
    ...rehearsal,
    clientOf,
    openGraph: importGraph,
    vault: vaultToRead,
    work: restoreWork,
    state,
    audit,
  }),
);
activity(closeRehearsal, closeRehearsalActivity({ openGraph: importGraph, work: restoreWork, state, ledgers }));
serve("list-rehearsals", getRehearsals({ state }));

const coverageSource = { vault, state, intervalMs };
const scan = sharedScan(() => scanCoverage(coverageSource));
serve("get-coverage", getCoverage({ ...coverageSource, scan }));
serve("get-coverage-metrics", getCoverageMetrics({ scan }));
app.timer("watch-coverage", {
  schedule: followUp.coverageSchedule,
  handler: watchCoverage({ state, scan: () => scanCoverage(coverageSource), notifier: tellPeople }),
});

serve("get-job", getJob({ clientOf }));
serve("pause-job", steerJob({ clientOf, steer: pauseJob }));
serve("resume-job", steerJob({ clientOf, steer: resumeJob }));
serve("cancel-job", steerJob({ clientOf, steer: cancelJob }));
serve("list-mailboxes", getMailboxes({ clientOf, vault }));
serve("list-snapshots", getSnapshots({ openGraph: exportGraph, vault }));
serve("get-snapshot", getSnapshot({ openGraph: exportGraph, vault }));
serve("list-folders", getFolders({ openGraph: exportGraph, vault, work }));
serve("list-items", getItems({ openGraph: exportGraph, translator, vault, work }));
serve("list-problems", getProblems({ openGraph: exportGraph, vault, work }));
serve("health", getHealth({ reachVault: () => vaultContainer(backupStorage).exists() }));
