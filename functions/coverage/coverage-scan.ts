import { mapBounded } from "../../shared/bounded.ts";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { listMailboxes } from "../../shared/vault/snapshots.ts";
import { readScope, type Scope } from "../backup/discover/scope-state.ts";
import { storedHead } from "../browse/stored-mailbox.ts";
import { readVerification } from "../verify/verification-state.ts";
import {
  BREACHES,
  COVERAGE_STATES,
  type CoverageState,
  coverageOf,
  type Judgement,
  type MailboxCoverage,
} from "./coverage.ts";

/** Mailboxes looked at together: their heads are read at the same time, and let go of before the next ones. */
const READERS = 32;

/** Where coverage is read from, and how often a mailbox should be looked at. */
export interface CoverageSource {
  readonly vault: Blobs;
  readonly state: Blobs;
  readonly intervalMs: number;
}

/** The coverage of all mailboxes, in numbers. */
export interface CoverageSummary extends Readonly<Record<CoverageState, number>> {
  readonly mailboxes: number;
  /** Those that are on hold, in whatever state. */
  readonly held: number;
  /** Those whose newest snapshot lacks items that failed for an unknown reason. */
  readonly partial: number;
  /** What is live in the newest snapshots; bytes are of the raw streams. */
  readonly items: number;
  readonly bytes: number;
  /** Of the mailboxes that are to be backed up and were looked at. */
  readonly oldestAgeSeconds: number;
}

export interface CoverageScan {
  readonly at: string;
  readonly summary: CoverageSummary;
  /** Every mailbox that somebody should look into, in the order of keys. */
  readonly breaches: readonly MailboxCoverage[];
}

/** Every mailbox of the vault and of the scope, in the order of keys. */
export const coveredMailboxes = async (vault: Blobs, scope: Scope | undefined): Promise<MailboxKey[]> => {
  const keys = new Set<MailboxKey>(scope?.keys());
  for await (const key of listMailboxes(vault)) keys.add(key);
  return [...keys].sort();
};

/** The coverage of one mailbox, by what the vault and its verifications say of it now. */
export const lookAt = async (
  { vault, state }: Pick<CoverageSource, "vault" | "state">,
  key: MailboxKey,
  judgement: Judgement,
  read: typeof storedHead = storedHead,
): Promise<MailboxCoverage> => {
  const [stored, verification] = await Promise.all([read(vault, key), readVerification(state, key)]);
  return coverageOf(key, stored, verification, judgement);
};

/** Looks at the head of every mailbox, and at what is known of its soundness, which costs two reads for each: callers share a scan where they can. */
export const scanCoverage = async ({ vault, state, intervalMs }: CoverageSource): Promise<CoverageScan> => {
  const nowMs = Date.now();
  const scope = await readScope(state);
  const tally = { ...NOTHING };
  const breaches: MailboxCoverage[] = [];
  const keys = await coveredMailboxes(vault, scope);
  await mapBounded(keys, READERS, async (key) => {
    const coverage = await lookAt({ vault, state }, key, { nowMs, intervalMs, scope });
    count(tally, coverage);
    if (BREACHES.includes(coverage.state)) breaches.push(coverage);
  });
  return {
    at: new Date(nowMs).toISOString(),
    summary: tally,
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

/** A scan serves for so many times as long as it took: looking costs no more than a twentieth of the time. */
const SERVES = 20;

/** Shares each scan among those who ask while it runs or serves; one that fails serves nobody who asks later. */
export const sharedScan = (scan: () => Promise<CoverageScan>, now: () => number = Date.now): SharedScan => {
  let last: { readonly scan: Promise<CoverageScan>; untilMs: number } | undefined;
  return () => {
    if (last !== undefined && now() < last.untilMs) return last.scan;
    const beganMs = now();
    const current = { scan: scan(), untilMs: Number.POSITIVE_INFINITY };
    last = current;
    current.scan.then(
      () => {
        current.untilMs = now() + SERVES * (now() - beganMs);
      },
      () => {
        current.untilMs = 0;
      },
    );
    return current.scan;
  };
};
