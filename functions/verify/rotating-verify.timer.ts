import type { TimerHandler } from "@azure/functions";
import { verifyShareInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, startOnce } from "../../shared/durable/start-once.ts";
import type { VerifyVaultInput } from "./verify.contract.ts";

const DAY_MS = 86_400_000;

/**
 * Starts the verification of the day's share of the vault. Days are counted from 1970 in UTC. Each snapshot is due on
 * one of `days` days in a row, so every snapshot is verified once in that time. A second tick on one day starts
 * nothing, also when the verification of the first one has ended.
 */
export const rotatingVerify =
  (deps: { readonly clientOf: ClientOf; readonly days: number; readonly now?: () => Date }): TimerHandler =>
  async (_timer, context) => {
    const now = deps.now?.() ?? new Date();
    const client = deps.clientOf(context);
    const instanceId = verifyShareInstance(now.toISOString().slice(0, "2026-11-22".length));
    if ((await findInstance(client, instanceId)) !== undefined) return;
    const share = Math.floor(now.getTime() / DAY_MS) % deps.days;
    const input: VerifyVaultInput = { scope: { share, of: deps.days } };
    await startOnce(client, "verify-vault", { instanceId, input });
  };
