import * as z from "zod";
import { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import { JobId } from "../contracts/job-ids.ts";

/** Most ids of what was selected that a line names. */
export const MAX_IDS = 20;

/** What was selected, without words that may hold an address: how much of which kind, and the first ids. */
export const AuditedSelection = z.strictObject({
  kind: z.string().min(1),
  count: z.int().nonnegative().optional(),
  ids: z.array(z.string().min(1)).max(MAX_IDS).optional(),
});
export type AuditedSelection = z.output<typeof AuditedSelection>;

/** Who asked for which restore, when and why. Of the mailbox it has the key, never the address. */
export const RestoreRequested = z.strictObject({
  event: z.literal("restore-requested"),
  at: z.iso.datetime(),
  /** The object id of who asked. */
  principal: z.guid(),
  job: JobId,
  /** The job of a list of restores, of which this is one. */
  list: JobId.optional(),
  mailbox: MailboxKey,
  /** Another mailbox that is restored into. */
  into: MailboxKey.optional(),
  snapshot: SnapshotId,
  selection: AuditedSelection,
  target: z.string().min(1),
  onConflict: z.string().min(1),
  dryRun: z.boolean(),
  /** The operator's own words. */
  reason: z.string().min(1),
});
export type RestoreRequested = z.output<typeof RestoreRequested>;

/** Who asked for which person's data, when and why. Of the person it has the directory's object id, never the name. */
export const PersonalDataRequested = z.strictObject({
  event: z.literal("personal-data-requested"),
  at: z.iso.datetime(),
  /** The object id of who asked. */
  principal: z.guid(),
  job: JobId,
  /** The object id of the person. */
  user: z.guid(),
  /** The mailboxes that are copied into the package. */
  mailboxes: z.array(MailboxKey),
  /** The officer's own words. */
  reason: z.string().min(1),
});
export type PersonalDataRequested = z.output<typeof PersonalDataRequested>;

/** Who decided what of a mailbox is kept or removed, when and why. */
export const VaultChange = z.strictObject({
  event: z.enum(["hold-set", "hold-released", "retention-requested"]),
  at: z.iso.datetime(),
  /** The object id of who asked. */
  principal: z.guid(),
  mailbox: MailboxKey,
  /** The operator's own words. */
  reason: z.string().min(1).optional(),
  /** When a hold ends. */
  until: z.iso.datetime().optional(),
});
export type VaultChange = z.output<typeof VaultChange>;

/** Each series of lines has blobs of its own. */
export const SERIES = {
  restores: RestoreRequested,
  vault: VaultChange,
  "personal-data": PersonalDataRequested,
} as const;
export type Series = keyof typeof SERIES;
export type AuditEntry<S extends Series> = z.output<(typeof SERIES)[S]>;

/** The record of what people asked the app to do, which the app adds to and never changes. */
export interface AuditLog {
  /**
   * The entry is durable when it resolves. An append whose answer was lost may be there twice, under one job id.
   *
   * @throws {z.ZodError} for an entry that holds what its series does not know.
   */
  append<S extends Series>(series: S, entry: AuditEntry<S>): Promise<void>;
}

/** A line of the record: what a reader of the blobs sees. @throws {z.ZodError} as {@link AuditLog.append} does. */
export const auditLine = <S extends Series>(series: S, entry: AuditEntry<S>): string => {
  const { event, ...parsed } = SERIES[series].parse(entry);
  return `${JSON.stringify({ v: 1, event, ...parsed })}\n`;
};

/** The blob of a moment's month; when it is full, the second and so on of that month. */
export const auditBlobName = (series: Series, at: string, number: number): string =>
  `${series}-${at.slice(0, 7)}${number === 1 ? "" : `-${number}`}.jsonl`;
