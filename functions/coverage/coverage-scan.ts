import { mapBounded } from "../../shared/bounded.ts";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { listMailboxes } from "../../shared/vault/snapshots.ts";
import type { LeftOutReason } from "../backup/discover/left-out.contract.ts";
import { readLeftOut, readScope, type Scope } from "../backup/discover/scope-state.ts";
import { storedHead } from "../browse/stored-mailbox.ts";
import { readVerification } from "../verify/verification-state.ts";
import {
  BREACHES,
  COVERAGE_STATES,
  type CoverageCriteria,
  type CoverageState,
  coverageOf,
  type MailboxCoverage,
} from "./coverage.ts";

/** Mailboxes that are read at the same time. */
const READERS = 32;

/** Where coverage is read from, and how often a mailbox should be backed up. */
export interface CoverageSource {
  readonly vault: Blobs;
  readonly state: Blobs;
  readonly intervalMs: number;
}

/** The coverage of all mailboxes, in numbers. */
export interface CoverageSummary extends Readonly<Record<CoverageState, number>> {
  readonly mailboxes: number;
  /** Those on hold, in any state. */
  readonly held: number;
  /** Those whose newest snapshot lacks items that failed for an unknown reason. */
  readonly partial: number;
  /** Live items in the newest snapshots, and the bytes of their raw streams. */
  readonly items: number;
  readonly bytes: number;
  /** The longest time since a check, of the mailboxes in scope that were ever checked. */
  readonly oldestAgeSeconds: number;
}

export interface CoverageScan {
  readonly at: string;
  readonly summary: CoverageSummary;
  /** Users who are not backed up, by reason, as the last discovery of the scope found; `undefined` before it. */
  readonly leftOut: Readonly<Record<LeftOutReason, number>> | undefined;
  /** Every mailbox that somebody should look into, in the order of keys. */
  readonly breaches: readonly MailboxCoverage[];
}

/** Every mailbox of the vault and of the scope, in the order of keys. */
export const coveredMailboxes = async (vault: Blobs, scope: Scope | undefined): Promise<MailboxKey[]> => {
  const keys = new Set<MailboxKey>(scope?.keys());
  for await (const key of listMailboxes(vault)) keys.add(key);
  return [...keys].sort();
};

/** The coverage of one mailbox, from the vault and the verifications as they are now. */
export const readCoverage = async (
  { vault, state }: Pick<CoverageSource, "vault" | "state">,
  key: MailboxKey,
  criteria: CoverageCriteria,
  read: typeof storedHead = storedHead,
): Promise<MailboxCoverage> => {
  const [stored, verification] = await Promise.all([read(vault, key), readVerification(state, key)]);
  return coverageOf(key, stored, verification, criteria);
};

/** Reads the head and the verification of every mailbox. That is two reads for each, so callers share scans. */
export const scanCoverage = async ({ vault, state, intervalMs }: CoverageSource): Promise<CoverageScan> => {
  const nowMs = Date.now();
  const scope = await readScope(state);
  const leftOut = await readLeftOut(state);
  const tally = { ...NOTHING };
  const breaches: MailboxCoverage[] = [];
  const keys = await coveredMailboxes(vault, scope);
  await mapBounded(keys, READERS, async (key) => {
    const coverage = await readCoverage({ vault, state }, key, { nowMs, intervalMs, scope });
    count(tally, coverage);
    if (BREACHES.includes(coverage.state)) breaches.push(coverage);
  });
  return {
    at: new Date(nowMs).toISOString(),
    summary: tally,
    leftOut,
    breaches: breaches.sort((a, b) => (a.mailbox < b.mailbox ? -1 : 1)),
  };
};

const NOTHING: CoverageSummary = {
  mailboxes: 0,
  ...(Object.fromEntries(COVERAGE_STATES.map((state) => [state, 0])) as Record<CoverageState, number>),
  held: 0,
  partial: 0,
  items: 0,
  bytes: 0,
  oldestAgeSeconds: 0,
};

type Tally = { -readonly [K in keyof CoverageSummary]: CoverageSummary[K] };

const count = (tally: Tally, { state, hold, newest, ageSeconds = 0 }: MailboxCoverage): void => {
  tally.mailboxes += 1;
  tally[state] += 1;
  if (hold !== undefined) tally.held += 1;
  if (newest?.state === "partial") tally.partial += 1;
  tally.items += newest?.items ?? 0;
  tally.bytes += newest?.bytes ?? 0;
  if (state !== "departed") tally.oldestAgeSeconds = Math.max(tally.oldestAgeSeconds, ageSeconds);
};

/** Scans that all callers of a process share. */
export type SharedScan = () => Promise<CoverageScan>;

/** A scan is reused for this many times as long as it took: scanning takes at most a twentieth of the time. */
const REUSE_FACTOR = 20;

/** Returns the same scan to all callers while it runs, and while it is reused. A failed one is not reused. */
export const sharedScan = (scan: () => Promise<CoverageScan>, now: () => number = Date.now): SharedScan => {
  let last: { readonly scan: Promise<CoverageScan>; untilMs: number } | undefined;
  return () => {
    if (last !== undefined && now() < last.untilMs) return last.scan;
    const beganMs = now();
    const current = { scan: scan(), untilMs: Number.POSITIVE_INFINITY };
    last = current;
    current.scan.then(
      () => {
        current.untilMs = now() + REUSE_FACTOR * (now() - beganMs);
      },
      () => {
        current.untilMs = 0;
      },
    );
    return current.scan;
  };
};
