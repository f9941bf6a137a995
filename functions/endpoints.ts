import type { Callers } from "../shared/http/guard.ts";

export interface Endpoint {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/`. */
  readonly route: string;
  /** A caller with any of these roles may call. Some handlers ask for another role, depending on the request. */
  readonly callers: Callers;
  /** Whether it starts a job, or what becomes one, and heeds the header `Idempotency-Key`. */
  readonly starts?: true;
  /** What differs from the time that every other call is answered within. */
  readonly answersWithinMs?: number;
}

const READERS: Callers = ["Vault.Reader", "Backup.Operator", "Restore.Operator"];

/** A role that starts some kind of job sees all jobs, and controls those of its kind. */
const JOB_OWNERS: Callers = ["Vault.Reader", "Backup.Operator", "Restore.Operator", "Privacy.Officer"];

/** Every HTTP endpoint of the app, by the name of its function, with the roles that may call it. */
export const ENDPOINTS = {
  "start-backup": { method: "POST", route: "backups", callers: ["Backup.Operator"], starts: true },

  "start-restore": { method: "POST", route: "restores", callers: ["Restore.Operator"], starts: true },
  "start-undo": { method: "POST", route: "restores/{id}/undo", callers: ["Restore.Operator"], starts: true },
  "get-report": { method: "GET", route: "restores/{id}/report", callers: ["Restore.Operator"] },

  "start-translation": { method: "POST", route: "ids/translate", callers: READERS, starts: true },
  "get-translations": { method: "GET", route: "jobs/{id}/result", callers: READERS },

  "start-upload": { method: "POST", route: "uploads", callers: READERS, starts: true },
  "get-upload": { method: "GET", route: "uploads/{id}", callers: READERS },
  "put-piece": { method: "PUT", route: "uploads/{id}/pieces/{piece}", callers: READERS },

  "start-personal-data-export": {
    method: "POST",
    route: "personal-data-exports",
    callers: ["Privacy.Officer"],
    starts: true,
  },
  "get-personal-data-export": { method: "GET", route: "personal-data-exports/{id}", callers: ["Privacy.Officer"] },
  "get-personal-data-file": {
    method: "GET",
    route: "personal-data-exports/{id}/files/{*name}",
    callers: ["Privacy.Officer"],
  },
  "delete-personal-data-export": {
    method: "DELETE",
    route: "personal-data-exports/{id}",
    callers: ["Privacy.Officer"],
  },

  "get-job": { method: "GET", route: "jobs/{id}", callers: JOB_OWNERS },
  "pause-job": { method: "POST", route: "jobs/{id}/pause", callers: JOB_OWNERS },
  "resume-job": { method: "POST", route: "jobs/{id}/resume", callers: JOB_OWNERS },
  "cancel-job": { method: "POST", route: "jobs/{id}/cancel", callers: JOB_OWNERS },

  "list-mailboxes": { method: "GET", route: "mailboxes", callers: READERS },
  "list-snapshots": { method: "GET", route: "mailboxes/{mailbox}/snapshots", callers: READERS },
  "get-snapshot": { method: "GET", route: "mailboxes/{mailbox}/snapshots/{id}", callers: READERS },
  "list-folders": { method: "GET", route: "mailboxes/{mailbox}/snapshots/{id}/folders", callers: READERS },
  "list-items": { method: "GET", route: "mailboxes/{mailbox}/snapshots/{id}/items", callers: READERS },
  "list-problems": { method: "GET", route: "mailboxes/{mailbox}/snapshots/{id}/problems", callers: READERS },

  "start-retention": {
    method: "POST",
    route: "mailboxes/{mailbox}/retention",
    callers: ["Backup.Operator"],
    starts: true,
  },
  "set-hold": { method: "PUT", route: "mailboxes/{mailbox}/hold", callers: ["Backup.Operator"] },
  "release-hold": { method: "DELETE", route: "mailboxes/{mailbox}/hold", callers: ["Backup.Operator"] },
  "get-coverage": { method: "GET", route: "coverage", callers: READERS },
  "get-coverage-metrics": { method: "GET", route: "coverage/metrics", callers: READERS },
  "list-rehearsals": { method: "GET", route: "rehearsals", callers: READERS },
  "start-verify": { method: "POST", route: "mailboxes/{mailbox}/verify", callers: ["Backup.Operator"], starts: true },
  "get-verification": { method: "GET", route: "mailboxes/{mailbox}/verification", callers: READERS },

  health: { method: "GET", route: "health", callers: "anyone", answersWithinMs: 3_000 },
} as const satisfies Readonly<Record<string, Endpoint>>;
