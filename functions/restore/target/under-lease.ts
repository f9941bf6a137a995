import { randomUUID } from "node:crypto";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type Held, whileRenewed } from "../../slots/while-renewed.ts";
import { keepTarget, leaveTarget } from "./target-lease.ts";

/** A restore's activity, and the mailbox that it works on. */
export interface LeasedWork {
  readonly restoreId: RunId;
  readonly mailbox: { readonly key: MailboxKey };
  /** Absent for a dry run, and for a restore that began before there were leases. */
  readonly exclusive?: boolean | undefined;
}

const WITHOUT_LEASE: Held = { isHeld: () => true };

/**
 * Does an activity's work while its restore has the mailbox to itself, and keeps the mailbox until the work has ended,
 * also when its job ends before. Returns `undefined` without beginning when another restore has the mailbox.
 */
export const underLease = async <T>(
  work: Blobs,
  { restoreId, mailbox, exclusive }: LeasedWork,
  use: (lease: Held) => Promise<T>,
  holdMs?: number,
): Promise<T | undefined> => {
  if (exclusive !== true) return use(WITHOUT_LEASE);
  const own = { restoreId, delivery: randomUUID() };
  return whileRenewed(
    {
      renew: async (holdMs) => ((await keepTarget(work, mailbox.key, own, holdMs)) ? "held" : "gone"),
      leave: () => leaveTarget(work, mailbox.key, own),
    },
    use,
    holdMs,
  );
};

/** The mailbox passed to another restore. */
export class TargetLostError extends Error {
  override readonly name = "TargetLostError";
}

/** As `underLease`. @throws {TargetLostError} when another restore has the mailbox. */
export const onlyUnderLease = async <T>(
  work: Blobs,
  leased: LeasedWork,
  use: (lease: Held) => Promise<T>,
  holdMs?: number,
): Promise<T> => {
  const done = await underLease(work, leased, async (lease) => ({ result: await use(lease) }), holdMs);
  if (done === undefined)
    throw new TargetLostError(`Restore ${leased.restoreId} does not have its mailbox to itself any more`);
  return done.result;
};
