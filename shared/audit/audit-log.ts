import * as z from "zod";
import { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import { JobId } from "../contracts/job-ids.ts";

/** Most selected ids in a line. */
export const MAX_IDS = 20;

/** What was selected: how many of which kind, and the first ids. It has no text that may contain an address. */
export const AuditedSelection = z.strictObject({
  kind: z.string().min(1),
  count: z.int().nonnegative().optional(),
  ids: z.array(z.string().min(1)).max(MAX_IDS).optional(),
});
export type AuditedSelection = z.output<typeof AuditedSelection>;

/** Who asked for which restore, when and why. It has the mailbox's key, never its address. */
export const RestoreRequested = z.strictObject({
  event: z.literal("restore-requested"),
  at: z.iso.datetime(),
  /** The object id of the caller. */
  principal: z.guid(),
  job: JobId,
  /** The job of the list of restores that this one is part of. */
  list: JobId.optional(),
  mailbox: MailboxKey,
  /** The mailbox that is restored into, if it is another one. */
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

/** Who asked for a list of restores, when and why. Each restore has a line of its own once its names are looked up. */
const RestoreListRequested = z.strictObject({
  event: z.literal("restore-list-requested"),
  at: z.iso.datetime(),
  /** The object id of the caller. */
  principal: z.guid(),
  job: JobId,
  restores: z.int().positive(),
  dryRun: z.boolean(),
  /** The operator's own words. */
  reason: z.string().min(1),
});

/** Who asked to undo which restore, when and why. */
export const UndoRequested = z.strictObject({
  event: z.literal("undo-requested"),
  at: z.iso.datetime(),
  /** The object id of the caller. */
  principal: z.guid(),
  job: JobId,
  /** The job of the restore. */
  restore: JobId,
  mailbox: MailboxKey,
  /** The mailbox that was restored into, if it is another one. */
  into: MailboxKey.optional(),
  dryRun: z.boolean(),
  /** The operator's own words. */
  reason: z.string().min(1),
});
export type UndoRequested = z.output<typeof UndoRequested>;

/** Who asked for which person's data, when and why. It has the person's object id, never their name. */
export const PersonalDataRequested = z.strictObject({
  event: z.literal("personal-data-requested"),
  at: z.iso.datetime(),
  /** The object id of the caller. */
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

/**
 * Who read a file of a package, or removed the package, and when. A file's name may hold a person's name: it is not
 * here.
 */
export const PersonalDataTouched = z.strictObject({
  event: z.enum(["personal-data-read", "personal-data-removed"]),
  at: z.iso.datetime(),
  /** The object id of the caller. */
  principal: z.guid(),
  job: JobId,
});
export type PersonalDataTouched = z.output<typeof PersonalDataTouched>;

/** Who decided to keep or to remove data of a mailbox, when and why. */
export const VaultChange = z.strictObject({
  event: z.enum(["hold-set", "hold-released", "retention-requested"]),
  at: z.iso.datetime(),
  /** The object id of the caller. */
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
  restores: z.discriminatedUnion("event", [RestoreListRequested, RestoreRequested, UndoRequested]),
  vault: VaultChange,
  "personal-data": z.discriminatedUnion("event", [PersonalDataRequested, PersonalDataTouched]),
} as const;
export type Series = keyof typeof SERIES;
export type AuditEntry<S extends Series> = z.output<(typeof SERIES)[S]>;

/** The record of what people asked the app to do. The app only appends to it. */
export interface AuditLog {
  /**
   * The entry is durable when this resolves. If the answer to an append is lost, the entry may be written twice, with
   * the same job id.
   *
   * @throws {z.ZodError} for an entry with a field that its series does not have.
   */
  append<S extends Series>(series: S, entry: AuditEntry<S>): Promise<void>;
}

/** A line of the blobs. @throws {z.ZodError} as {@link AuditLog.append} does. */
export const auditLine = <S extends Series>(series: S, entry: AuditEntry<S>): string => {
  const { event, ...parsed } = SERIES[series].parse(entry);
  return `${JSON.stringify({ v: 1, event, ...parsed })}\n`;
};

/** The name of a month's blob; `number` counts on from 1 when one is full. */
export const auditBlobName = (series: Series, at: string, number: number): string =>
  `${series}-${at.slice(0, 7)}${number === 1 ? "" : `-${number}`}.jsonl`;
