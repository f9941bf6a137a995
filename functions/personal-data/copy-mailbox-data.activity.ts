import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../shared/bounded.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { copyIntoPackage } from "./copy-into-package.ts";
import { packageName } from "./package-names.ts";
import type { Packages } from "./packages.ts";
import { copyMailboxData } from "./personal-data.contract.ts";
import { findCopyPlan, NAMES_PER_PAGE, readCopyPlanPage } from "./personal-data-state.ts";
import { planCopy } from "./plan-copy.ts";

/** Blobs copied at the same time: each takes up to 8 MiB of memory. */
const WIDTH = 4;

/**
 * Copies the newest snapshots of mailboxes into the package. The first call writes down which blobs that takes; each one
 * copies on from a place in that plan until its time is spent.
 *
 * Run twice, the plan that was kept first stands, and what is in the package already stays.
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
    const of = { exportId, attempt };
    const plan = (await findCopyPlan(work, of)) ?? (await planCopy({ vault, work }, of, mailboxes));
    const target = packages.open(packageName(exportId, attempt));

    let next = from;
    let bytes = 0;
    while (next < plan.blobs && (next === from || Date.now() < untilMs)) {
      const page = await readCopyPlanPage(work, of, plan, Math.floor(next / NAMES_PER_PAGE));
      const at = next % NAMES_PER_PAGE;
      const names = page.slice(at, at + WIDTH);
      const copied = await mapBounded(names, WIDTH, (name) => copyIntoPackage(vault, target, name));
      next += names.length;
      bytes += copied.reduce((sum, each) => sum + each, 0);
    }
    return { blobs: next - from, bytes, ...(next < plan.blobs ? { next } : {}) };
  });
