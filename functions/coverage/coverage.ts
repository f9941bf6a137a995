import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { type Head, isHeld } from "../../shared/vault/head.ts";
import type { Scope } from "../backup/discover/scope-state.ts";
import type { StoredMailbox } from "../browse/stored-mailbox.ts";
import { openProblemsOf, problemsOf, type Verification } from "../verify/verification-state.ts";

/**
 * How well a mailbox is covered, worst first. `damaged`: its newest snapshot has known damage. `never`: it has no
 * snapshot. `stale`: it was last checked too long ago. `departed`: it is in the vault, but not in scope any more.
 */
export const COVERAGE_STATES = ["damaged", "never", "stale", "protected", "departed"] as const;
export type CoverageState = (typeof COVERAGE_STATES)[number];

/** States that somebody should look into. */
export const BREACHES: readonly CoverageState[] = ["damaged", "never", "stale"];

/** The coverage of one mailbox as callers see it. */
export interface MailboxCoverage {
  readonly mailbox: MailboxKey;
  readonly state: CoverageState;
  readonly user?: string | undefined;
  readonly kind?: Head["kind"];
  /** When a run last brought the vault up to date with the mailbox, and the time since then. */
  readonly checked?: string;
  readonly ageSeconds?: number;
  readonly newest?: NonNullable<Head["newest"]>;
  readonly problems?: { readonly failed: number; readonly skipped?: number | undefined };
  readonly hold?: NonNullable<Head["hold"]>;
  readonly damage?: string | undefined;
  /** The last verification of the mailbox, and the number of known problems. */
  readonly verified?: { readonly at: string; readonly problems: number };
}

/** The criteria for a mailbox's coverage. */
export interface CoverageCriteria {
  readonly nowMs: number;
  readonly intervalMs: number;
  /** `undefined` before the first discovery: then every mailbox in the vault counts as in scope. */
  readonly scope: Scope | undefined;
}

/** A quarter of the interval: nights differ in length, and a mailbox's position in them varies. Our own choice. */
const GRACE = 0.25;

export const staleAfterMs = (intervalMs: number): number => intervalMs * (1 + GRACE);

export const coverageOf = (
  mailbox: MailboxKey,
  { head, skipped, damage }: StoredMailbox,
  verification: Verification | undefined,
  { nowMs, intervalMs, scope }: CoverageCriteria,
): MailboxCoverage => {
  const inScope = scope === undefined || scope.has(mailbox);
  const problems = verification === undefined ? 0 : problemsOf(verification);
  const open = verification === undefined ? 0 : openProblemsOf(verification);
  const verified = verification && { verified: { at: verification.last.at, problems } };
  if (damage !== undefined) return { mailbox, state: "damaged", user: scope?.get(mailbox), damage, ...verified };
  if (head === undefined || head.newest === null)
    return { mailbox, state: inScope ? "never" : "departed", user: head?.user?.id ?? scope?.get(mailbox) };
  const { user, kind, checkedAt, newest, hold } = head;
  const ageMs = nowMs - Date.parse(checkedAt);
  return {
    mailbox,
    state: coverageState({ problems: open, inScope, isStale: ageMs > staleAfterMs(intervalMs) }),
    user: user?.id,
    kind,
    checked: checkedAt,
    ageSeconds: Math.round(ageMs / 1000),
    newest,
    problems: { failed: newest.failed, ...(skipped === undefined ? {} : { skipped }) },
    ...(hold !== undefined && isHeld(hold, nowMs) ? { hold } : {}),
    ...verified,
  };
};

const coverageState = (mailbox: {
  readonly problems: number;
  readonly inScope: boolean;
  readonly isStale: boolean;
}): CoverageState => {
  if (mailbox.problems > 0) return "damaged";
  if (!mailbox.inScope) return "departed";
  return mailbox.isStale ? "stale" : "protected";
};
