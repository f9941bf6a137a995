import {
  backupInstance,
  backupTenantInstance,
  cleanInstance,
  cleanVaultInstance,
  followUpInstance,
  leaverInstance,
  personalDataInstance,
  rehearsalInstance,
  restoreInstance,
  restoresInstance,
  tidyWorkInstance,
  translationInstance,
  undoInstance,
  verifyInstance,
  verifyShareInstance,
} from "../shared/contracts/job-ids.ts";
import type { Role } from "../shared/security/principal.ts";

/** What the app knows of a kind of job. */
export interface JobKind {
  /** The forms of the ids of such jobs. A place in a window has no id that people see. */
  readonly ids: readonly { parse(id: string): unknown }[];
  /** Who may control it: any role that may start it. */
  readonly owners: readonly [Role, ...Role[]];
  /** `window`: works through a queue in several places; `place`: does one part after the other, as its status says. */
  readonly parts?: "window" | "place";
  /**
   * Snapshots that must not be removed while such a job is alive, beside the newest: those that its input names, or
   * every one, for jobs that wait in a queue with snapshots chosen long before.
   */
  readonly snapshotsInUse: "none" | "of-input" | "all";
}

/**
 * Every kind of job, by its orchestrator. Orchestrators are registered under the names of this table only, so a new
 * kind without a row does not compile.
 */
export const JOBS = {
  "backup-tenant": {
    ids: [backupTenantInstance],
    owners: ["Backup.Operator"],
    parts: "window",
    snapshotsInUse: "none",
  },
  "backup-in-turn": { ids: [], owners: ["Backup.Operator"], parts: "place", snapshotsInUse: "none" },
  "backup-mailbox": { ids: [backupInstance], owners: ["Backup.Operator"], snapshotsInUse: "none" },
  "restore-mailboxes": {
    ids: [restoresInstance],
    owners: ["Restore.Operator"],
    parts: "window",
    snapshotsInUse: "all",
  },
  "restore-in-turn": { ids: [], owners: ["Restore.Operator"], parts: "place", snapshotsInUse: "all" },
  "restore-mailbox": { ids: [restoreInstance], owners: ["Restore.Operator"], snapshotsInUse: "of-input" },
  "undo-restore": { ids: [undoInstance], owners: ["Restore.Operator"], snapshotsInUse: "none" },
  "verify-vault": {
    ids: [verifyInstance, verifyShareInstance],
    owners: ["Backup.Operator"],
    snapshotsInUse: "none",
  },
  "clean-mailbox": { ids: [cleanInstance], owners: ["Backup.Operator"], snapshotsInUse: "none" },
  "clean-vault": { ids: [cleanVaultInstance], owners: ["Backup.Operator"], snapshotsInUse: "none" },
  "tidy-work": { ids: [tidyWorkInstance], owners: ["Backup.Operator"], snapshotsInUse: "none" },
  "run-rehearsal": { ids: [rehearsalInstance], owners: ["Restore.Operator"], parts: "place", snapshotsInUse: "none" },
  "protect-leaver": { ids: [leaverInstance], owners: ["Backup.Operator"], snapshotsInUse: "none" },
  "follow-up-snapshot": { ids: [followUpInstance], owners: ["Backup.Operator"], snapshotsInUse: "none" },
  "export-personal-data": { ids: [personalDataInstance], owners: ["Privacy.Officer"], snapshotsInUse: "of-input" },
  "translate-exchange-ids": {
    ids: [translationInstance],
    owners: ["Vault.Reader", "Backup.Operator", "Restore.Operator"],
    snapshotsInUse: "none",
  },
} as const satisfies Readonly<Record<string, JobKind>>;

/** The registered name of an orchestrator. */
export type Orchestrator = keyof typeof JOBS;

/** The kind of a job by the name of its orchestrator; `undefined` for one that the app does not have any more. */
export const jobKind = (orchestrator: string): JobKind | undefined =>
  Object.hasOwn(JOBS, orchestrator) ? JOBS[orchestrator as Orchestrator] : undefined;
