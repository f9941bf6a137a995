import type { ActivityHandler } from "durable-functions";
import { backupInstance, backupTenantInstance } from "../../shared/contracts/job-ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive, startOnce } from "../../shared/durable/start-once.ts";
import type { BackupMailboxInput } from "../backup/backup.contract.ts";
import { startLastBackup } from "./leaver.contract.ts";

/**
 * Starts the backup of one mailbox under the id that every backup of it has, so that there is one at a time. The
 * mailbox is busy while a tenant-wide backup is alive, which may start a backup of it at any moment. A tenant-wide
 * backup that begins later finds this one alive, and leaves the mailbox out.
 *
 * Run twice, the second finds the first one's backup alive and returns `busy`, or starts another, which finds nothing
 * new. Neither does any harm.
 */
export const startLastBackupActivity = (deps: { readonly clientOf: ClientOf }): ActivityHandler =>
  implement(startLastBackup, async ({ mailbox }, context) => {
    const client = deps.clientOf(context);
    if (isAlive(await findInstance(client, backupTenantInstance()))) return BUSY;
    const input: BackupMailboxInput = { mailbox, trigger: "event", full: false };
    const outcome = await startOnce(client, "backup-mailbox", { instanceId: backupInstance(mailbox.key), input });
    return outcome === "started" ? { outcome } : BUSY;
  });

const BUSY = { outcome: "busy" } as const;
