import { runStart, type SnapshotId } from "../contracts/ids.ts";
import { PERIODS, type Period, type RetentionPolicy, type Span } from "../retention-policy.ts";

/**
 * Why each snapshot of a mailbox stays, by the policy; one that is not in the answer may go. For each rule the newest
 * snapshot of every period is kept, as long as there is a number left; periods without any snapshot do not count; a
 * rule with numbers left at the end keeps the oldest snapshot too, so that history grows as long as it may. All times
 * are UTC and those at which runs began, weeks are those of ISO 8601, and `within` goes back from the newest snapshot,
 * so that a backup that stopped loses nothing. The newest snapshot always stays.
 *
 * The rules are restic's. Source: restic.readthedocs.io/en/stable/060_forget.html, internal/restic/snapshot_policy.go.
 */
export const whatStays = (
  snapshots: readonly SnapshotId[],
  { counts, within }: RetentionPolicy,
): Map<SnapshotId, string[]> => {
  const newestFirst = snapshots.toSorted().toReversed();
  const stays = new Map<SnapshotId, string[]>();
  const stay = (id: SnapshotId, reason: string) => stays.set(id, [...(stays.get(id) ?? []), reason]);
  const [newest] = newestFirst;
  if (newest === undefined) return stays;
  stay(newest, "newest");

  for (const period of PERIODS) {
    const most = counts[period] ?? 0;
    let kept = 0;
    let before: string | undefined;
    for (const [place, id] of newestFirst.entries()) {
      if (kept === most) break;
      const now = PERIOD_OF[period](runStart(id), id);
      const isOldest = place === newestFirst.length - 1;
      if (now === before && !isOldest) continue;
      kept += 1;
      stay(id, now === before ? `oldest ${period}` : `${period} ${kept}`);
      before = now;
    }
  }
  if (within === undefined) return stays;
  const sinceMs = before(runStart(newest), within).getTime();
  for (const id of newestFirst) if (runStart(id).getTime() > sinceMs) stay(id, `within ${within.text}`);
  return stays;
};

/** The period that a snapshot belongs to, as a text. */
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
