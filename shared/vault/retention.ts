import { runStart, type SnapshotId } from "../contracts/ids.ts";
import { PERIODS, type Period, type RetentionPolicy, type Span } from "../retention-policy.ts";

/**
 * Why the policy keeps each snapshot of a mailbox; a snapshot that is not in the result may be removed. Each rule keeps
 * the newest snapshot of a period, for as many periods as its number says. Periods without a snapshot do not count. A
 * rule whose number is not used up keeps the oldest snapshot too, so that history grows to its full length. Times are
 * UTC, and those at which runs began; weeks are those of ISO 8601. `within` counts back from the newest snapshot, so
 * that nothing is lost when backups have stopped. The newest snapshot is always kept.
 *
 * The rules are restic's. Source: restic.readthedocs.io/en/stable/060_forget.html, internal/restic/snapshot_policy.go.
 */
export const keepReasons = (
  snapshots: readonly SnapshotId[],
  { counts, within }: RetentionPolicy,
): Map<SnapshotId, string[]> => {
  const newestFirst = snapshots.toSorted().toReversed();
  const reasons = new Map<SnapshotId, string[]>();
  const keep = (id: SnapshotId, reason: string) => reasons.set(id, [...(reasons.get(id) ?? []), reason]);
  const [newest] = newestFirst;
  if (newest === undefined) return reasons;
  keep(newest, "newest");

  for (const period of PERIODS) {
    const most = counts[period] ?? 0;
    let kept = 0;
    let before: string | undefined;
    for (const [index, id] of newestFirst.entries()) {
      if (kept === most) break;
      const now = PERIOD_OF[period](runStart(id), id);
      const isOldest = index === newestFirst.length - 1;
      if (now === before && !isOldest) continue;
      kept += 1;
      keep(id, now === before ? `oldest ${period}` : `${period} ${kept}`);
      before = now;
    }
  }
  if (within === undefined) return reasons;
  const sinceMs = before(runStart(newest), within).getTime();
  for (const id of newestFirst) if (runStart(id).getTime() > sinceMs) keep(id, `within ${within.text}`);
  return reasons;
};

/** The period that a snapshot belongs to, as text. */
const PERIOD_OF: Readonly<Record<Period, (time: Date, id: SnapshotId) => string>> = {
  last: (_, id) => id,
  hourly: (time) => time.toISOString().slice(0, "2026-11-22T01".length),
  daily: (time) => time.toISOString().slice(0, "2026-11-22".length),
  weekly: (time) => mondayOf(time).toISOString().slice(0, "2026-11-16".length),
  monthly: (time) => time.toISOString().slice(0, "2026-11".length),
  yearly: (time) => time.toISOString().slice(0, "2026".length),
};

/** Weeks of ISO 8601 begin on Monday. */
const mondayOf = (time: Date): Date => {
  const monday = new Date(time);
  monday.setUTCDate(time.getUTCDate() - ((time.getUTCDay() + 6) % 7));
  return monday;
};

const before = (time: Date, { years, months, days, hours }: Span): Date =>
  new Date(
    Date.UTC(
      time.getUTCFullYear() - years,
      time.getUTCMonth() - months,
      time.getUTCDate() - days,
      time.getUTCHours() - hours,
      time.getUTCMinutes(),
      time.getUTCSeconds(),
    ),
  );
