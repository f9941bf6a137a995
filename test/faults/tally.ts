import * as z from "zod";

/**
 * What one restore under faults came to. `lost` and `doubled` must be nothing: everything else is reported to the
 * operator.
 */
export interface Tally {
  readonly wanted: number;
  readonly restored: number;
  /** Items that are not in the target, and that the report does not give a reason for. */
  readonly lost: number;
  /** Items that are in the target more often than they were selected. */
  readonly doubled: number;
  /** Those of them that the report does not name. */
  readonly unnamed: number;
  /** Items that the report says to be failed or ambiguous. */
  readonly reported: number;
}

/** An item of a restore's report. */
export const ReportedItem = z.looseObject({
  id: z.string(),
  outcome: z.string(),
  code: z.string().optional(),
  lookAt: z.array(z.string()).optional(),
});
export type ReportedItem = z.output<typeof ReportedItem>;

/**
 * Whether a report says why an item may not be back: an ambiguous one was not answered and cannot be told from others,
 * one that failed has a code, and a restore that somebody cancelled says so of what it did not come to. Nobody takes
 * items away here, so one that is simply missing was lost by the restore.
 */
const hasReason = ({ outcome, code }: ReportedItem): boolean =>
  outcome === "ambiguous" ||
  (outcome === "failed" && code !== undefined && code !== "") ||
  (outcome === "missing" && code === "cancelled");

const counted = (values: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

/** Compares what a restore should have brought back with what is there, item by item, by the hash of the stream. */
export const tally = (
  wanted: readonly { readonly id: string; readonly sha256: string }[],
  there: readonly string[],
  report: readonly ReportedItem[],
): Tally => {
  const hashes = new Map(wanted.map(({ id, sha256 }) => [id, sha256]));
  const reported = report.filter(hasReason).map(({ id }) => hashes.get(id) ?? "");
  const excused = counted(reported);
  const named = new Map<string, number>();
  for (const { id, outcome, lookAt = [] } of report)
    if (outcome === "surplus") named.set(hashes.get(id) ?? "", lookAt.length);
  const expected = counted([...hashes.values()]);
  const found = counted(there);
  let lost = 0;
  let doubled = 0;
  let unnamed = 0;
  for (const hash of new Set([...expected.keys(), ...found.keys()])) {
    const missing = (expected.get(hash) ?? 0) - (found.get(hash) ?? 0);
    lost += Math.max(0, missing - (excused.get(hash) ?? 0));
    doubled += Math.max(0, -missing);
    unnamed += Math.max(0, -missing - (named.get(hash) ?? 0));
  }
  return { wanted: wanted.length, restored: there.length - doubled, lost, doubled, unnamed, reported: reported.length };
};
