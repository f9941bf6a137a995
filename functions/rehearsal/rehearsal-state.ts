import * as z from "zod";
import { MailboxKey, type RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { type Blobs, jsonBytes, readJson, updateJson } from "../../shared/storage/blobs.ts";
import { Rehearsal, RehearsalCounts } from "./rehearsal.contract.ts";

/** The sample that a rehearsal restores, and the mailboxes that could not be sampled because of damage. */
const Sampled = z.object({
  sample: z.array(z.object({ mailbox: MailboxKey, snapshot: SnapshotId, items: z.int().nonnegative() })),
  damaged: z.array(z.object({ mailbox: MailboxKey, damage: z.string() })),
});

/** A rehearsal that may have left a folder in its mailbox, and that folder's name. Noted before the folder is made. */
export const OpenRehearsal = Rehearsal.extend({
  ...Sampled.shape,
  mailbox: MailboxRef,
  folderName: z.string().min(1),
});
export type OpenRehearsal = z.output<typeof OpenRehearsal>;

/** An item that did not come back as it was: `fields` differ; without `fields` it is missing. */
const Difference = z.object({
  mailbox: MailboxKey,
  item: z.string(),
  fields: z.array(z.string()).optional(),
});

/** The dated proof that backups restore, or that they do not. */
export const RehearsalReport = Rehearsal.extend({
  ...Sampled.shape,
  v: z.literal(1),
  finished: z.iso.datetime(),
  /** The mailbox that the sample was restored into. */
  into: MailboxKey,
  counts: RehearsalCounts,
  proved: z.boolean(),
  differences: z.array(Difference),
  /** When the restored items were removed again. */
  removed: z.iso.datetime().optional(),
});
export type RehearsalReport = z.output<typeof RehearsalReport>;

const OPEN = "rehearsals-open/";
const REPORTS = "rehearsals/";
const openName = (rehearsalId: RunId): string => `${OPEN}${rehearsalId}.json`;
const reportName = (date: string): string => `${REPORTS}${date}.json`;

export const noteOpenRehearsal = async (state: Blobs, open: OpenRehearsal): Promise<void> => {
  await state.create(openName(open.rehearsalId), jsonBytes(OpenRehearsal.parse(open)));
};

export const findOpenRehearsal = (state: Blobs, rehearsalId: RunId): Promise<OpenRehearsal | undefined> =>
  readJson(state, openName(rehearsalId), OpenRehearsal);

/** The rehearsals that may have left a folder in their mailbox, the oldest first. */
export async function* openRehearsals(state: Blobs): AsyncGenerator<OpenRehearsal> {
  for await (const { name } of state.list(OPEN)) {
    const open = await readJson(state, name, OpenRehearsal);
    if (open !== undefined) yield open;
  }
}

export const forgetOpenRehearsal = async (state: Blobs, rehearsalId: RunId): Promise<void> => {
  await state.remove(openName(rehearsalId));
};

/** Keeps a day's report, unless there is one; returns the one that is kept. */
export const keepRehearsalReport = (state: Blobs, report: RehearsalReport): Promise<RehearsalReport> =>
  updateJson(state, reportName(report.date), RehearsalReport, (current) => current ?? report);

export const findRehearsalReport = (state: Blobs, date: string): Promise<RehearsalReport | undefined> =>
  readJson(state, reportName(date), RehearsalReport);

/** Notes in a day's report when the rehearsal's folder was removed. */
export const noteRemoval = async (state: Blobs, date: string, removed: string): Promise<void> => {
  await updateJson(state, reportName(date), RehearsalReport, (current) => {
    if (current === undefined) throw new Error(`The rehearsal of ${date} has no report`);
    return { ...current, removed: current.removed ?? removed };
  });
};

/** The newest reports, the newest first. */
export const readRehearsalReports = async (state: Blobs, max: number): Promise<RehearsalReport[]> => {
  const names: string[] = [];
  for await (const { name } of state.list(REPORTS)) names.push(name);
  const reports: RehearsalReport[] = [];
  for (const name of names.slice(-max).toReversed()) {
    const report = await readJson(state, name, RehearsalReport);
    if (report !== undefined) reports.push(report);
  }
  return reports;
};
