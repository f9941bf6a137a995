import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { type Head, isHeld } from "../../shared/vault/head.ts";
import type { Scope } from "../backup/discover/scope-state.ts";
import type { StoredMailbox } from "../browse/stored-mailbox.ts";
import { problemsOf, type Verification } from "../verify/verification-state.ts";

/**
 * How well a mailbox is covered, what is worst first: `damaged`, as far as is known; `never`, without any snapshot;
 * `stale`, last looked at too long ago; `protected`; and `departed`, in the vault but not to be backed up any more.
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
  /** When a run last found the mailbox and the vault alike, and how long ago that was. */
  readonly checked?: string;
  readonly ageSeconds?: number;
  readonly newest?: NonNullable<Head["newest"]>;
  readonly problems?: { readonly failed: number; readonly skipped?: number | undefined };
  readonly hold?: NonNullable<Head["hold"]>;
  readonly damage?: string | undefined;
  /** The last verification that looked at the mailbox, and the problems that are known. */
  readonly verified?: { readonly at: string; readonly problems: number };
}

/** What a mailbox's coverage is judged by. */
export interface Judgement {
  readonly nowMs: number;
  readonly intervalMs: number;
  /** `undefined` while nobody has looked: then whatever is in the vault counts as to be backed up. */
  readonly scope: Scope | undefined;
}

/** Nights differ in length, and a mailbox's place in them too: a quarter of the interval is let pass. Our own choice. */
const GRACE = 0.25;

export const latestAgeMs = (intervalMs: number): number => intervalMs * (1 + GRACE);

export const coverageOf = (
  mailbox: MailboxKey,
  { head, skipped, damage }: StoredMailbox,
  verification: Verification | undefined,
  { nowMs, intervalMs, scope }: Judgement,
): MailboxCoverage => {
  const inScope = scope === undefined || scope.has(mailbox);
  const problems = verification === undefined ? 0 : problemsOf(verification);
  const verified = verification && { verified: { at: verification.last.at, problems } };
  if (damage !== undefined) return { mailbox, state: "damaged", user: scope?.get(mailbox), damage, ...verified };
  if (head === undefined || head.newest === null)
    return { mailbox, state: inScope ? "never" : "departed", user: head?.user?.id ?? scope?.get(mailbox) };
  const { user, kind, checkedAt, newest, hold } = head;
  const ageMs = nowMs - Date.parse(checkedAt);
  return {
    mailbox,
    state: stateOf({ problems, inScope, isStale: ageMs > latestAgeMs(intervalMs) }),
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

const stateOf = (mailbox: {
  readonly problems: number;
  readonly inScope: boolean;
  readonly isStale: boolean;
}): CoverageState => {
  if (mailbox.problems > 0) return "damaged";
  if (!mailbox.inScope) return "departed";
  return mailbox.isStale ? "stale" : "protected";
};
