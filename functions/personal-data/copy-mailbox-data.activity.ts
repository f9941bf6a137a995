import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../shared/bounded.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { noteMetDamage } from "../verify/met-damage.ts";
import { copyIntoPackage } from "./copy-into-package.ts";
import { packageName } from "./package-names.ts";
import type { Packages } from "./packages.ts";
import { copyMailboxData } from "./personal-data.contract.ts";
import { findCopyPlan, NAMES_PER_PAGE, readCopyPlanPage } from "./personal-data-state.ts";
import { planCopy } from "./plan-copy.ts";

/** Blobs copied at the same time: each takes up to 8 MiB of memory. */
const WIDTH = 4;

/**
 * Copies the newest snapshots of mailboxes into the package. The first call writes a plan of the blobs to copy; each
 * call goes on from a position in the plan until its time is up.
 *
 * Run twice, the first plan that is kept stands, and blobs that are in the package already stay.
 */
export const copyMailboxDataActivity = (deps: {
  readonly vault: Blobs;
  readonly packages: Packages;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implement(copyMailboxData, async ({ exportId, attempt, mailboxes, from }) => {
    const { vault, packages, work, laneBudgetMs } = deps;
    const untilMs = Date.now() + laneBudgetMs;
    const packageId = { exportId, attempt };
    const plan = (await findCopyPlan(work, packageId)) ?? (await planCopy({ vault, work }, packageId, mailboxes));
    const target = packages.open(packageName(exportId, attempt));

    let next = from;
    let bytes = 0;
    while (next < plan.blobs && (next === from || Date.now() < untilMs)) {
      const page = await readCopyPlanPage(work, packageId, plan, Math.floor(next / NAMES_PER_PAGE));
      const at = next % NAMES_PER_PAGE;
      const names = page.slice(at, at + WIDTH);
      const copied = await mapBounded(names, WIDTH, (name) => noting(work, copyIntoPackage(vault, target, name)));
      next += names.length;
      bytes += copied.reduce((sum, each) => sum + each, 0);
    }
    return { blobs: next - from, bytes, ...(next < plan.blobs ? { next } : {}) };
  });

/** A lost pack ends the copy; the note makes the next backup mend it. */
const noting = async <T>(work: Blobs, copy: Promise<T>): Promise<T> => {
  try {
    return await copy;
  } catch (error) {
    if (error instanceof VaultDamageError) await noteMetDamage(work, error);
    throw error;
  }
};
