import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { reviewDamage } from "./review-damage.ts";
import { noteVerified } from "./verification-state.ts";
import { type VerifyTotals, verifyWave } from "./verify.contract.ts";
import { verifyInScope } from "./verify-in-scope.ts";
import { findVerifyWave, keepVerifyWave, type VerifyWaveRecord, wavesOf } from "./verify-wave-state.ts";

/** Mailboxes whose state is written at the same time. */
const WRITERS = 8;

interface Deps {
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state: Blobs;
  /** How long one wave reads before it returns. */
  readonly budgetMs: number;
}

type Input = z.output<typeof verifyWave.input>;

/**
 * One wave of a verification. It only reads the vault. Findings go to the scratch data, then to the state of each
 * mailbox; only counts are returned.
 *
 * Run twice, even at the same time, the record that is kept first counts for both, and goes into a mailbox's state
 * once.
 */
export const verifyWaveActivity = (deps: Deps): ActivityHandler =>
  implement(verifyWave, async (input) => {
    const { run, wave, scope } = input;
    const work = wavesOf(deps.work, scope);
    const kept =
      (await findVerifyWave(work, run, wave)) ?? (await keepVerifyWave(work, run, wave, await verifySome(deps, input)));
    await mapBounded(kept.mailboxes, WRITERS, async (verified) => {
      await noteVerified(deps.state, verified, { run, wave, scope, at: kept.at });
      if (verified.problems > 0) await reviewDamage(deps, verified.mailbox);
    });
    return kept.result;
  });

const NOTHING: VerifyTotals = { mailboxes: 0, snapshots: 0, packs: 0, items: 0, bytes: 0, problems: 0 };

const verifySome = async ({ vault, budgetMs }: Deps, { scope, position }: Input): Promise<VerifyWaveRecord> => {
  const untilMs = Date.now() + budgetMs;
  const { mailboxes, next } = await verifyInScope(vault, scope, position, () => Date.now() < untilMs);
  const totals = mailboxes
    .map(({ done, ...counts }) => ({ ...counts, mailboxes: done ? 1 : 0 }))
    .reduce(addCounts, NOTHING);
  return { at: new Date().toISOString(), result: { ...totals, ...(next && { next }) }, mailboxes };
};
