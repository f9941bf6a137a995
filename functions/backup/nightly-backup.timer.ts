import type { TimerHandler } from "@azure/functions";
import { backupTenantInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import type { BackupTenantInput } from "./backup.contract.ts";

/** Starts the backup of every mailbox in scope. Starts nothing while the last one is still running. */
export const nightlyBackup =
  (deps: { readonly clientOf: ClientOf; readonly window: number }): TimerHandler =>
  async (_timer, context) => {
    const input: BackupTenantInput = { trigger: "schedule", full: false, window: deps.window };
    const instanceId = backupTenantInstance();
    const outcome = await startOnce(deps.clientOf(context), "backup-tenant", { instanceId, input });
    if (outcome === "already-running") context.warn("The last backup is still running, so none was started.");
  };
