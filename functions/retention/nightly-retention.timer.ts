import type { TimerHandler } from "@azure/functions";
import { cleanVaultInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import type { RetentionPolicy } from "../../shared/retention-policy.ts";
import type { CleanVaultInput } from "./retention.contract.ts";

/** When the vault is cleaned up: after the night's backups, where those begin soon after midnight. */
export const RETENTION_SCHEDULE = "0 0 11 * * *";

/**
 * Starts a clean-up of the whole vault, if there is a policy. A tick while the last one is still alive starts nothing.
 * Follow-ups of snapshots are not enough: a quiet mailbox has none, and a second cycle is always a day later.
 */
export const nightlyRetention =
  (deps: { readonly clientOf: ClientOf; readonly policy: RetentionPolicy | undefined }): TimerHandler =>
  async (_timer, context) => {
    if (deps.policy === undefined) return;
    const input: CleanVaultInput = {};
    const instanceId = cleanVaultInstance();
    const outcome = await startOnce(deps.clientOf(context), "clean-vault", { instanceId, input });
    if (outcome === "already-running") context.warn("The vault is still being cleaned up: this tick starts nothing.");
  };
