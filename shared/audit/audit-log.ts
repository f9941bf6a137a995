import * as z from "zod";
import { JobId, MailboxKey, SnapshotId } from "../contracts/ids.ts";

/** Most ids of what was selected that a line names. */
export const MOST_IDS = 20;

/** What was selected, without words that may hold an address: how much of which kind, and the first ids. */
export const AuditedSelection = z.strictObject({
  kind: z.string().min(1),
  count: z.int().nonnegative().optional(),
  ids: z.array(z.string().min(1)).max(MOST_IDS).optional(),
});
export type AuditedSelection = z.output<typeof AuditedSelection>;

/** Who asked for which restore, when and why. Of the mailbox it has the key, never the address. */
export const RestoreRequested = z.strictObject({
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

/** The record of what people asked the app to do, which the app adds to and never changes. */
export interface AuditLog {
  /** The entry is durable when it resolves. An append whose answer was lost may be there twice, under one job id. */
  restoreRequested(entry: RestoreRequested): Promise<void>;
}

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

/** The same record, of what decides how long backups are kept, in blobs of their own. */
export interface VaultAuditLog {
  vaultChanged(entry: VaultChange): Promise<void>;
}

/** The same record, of requests for personal data, in blobs of their own. */
export interface PersonalDataAuditLog {
  personalDataRequested(entry: PersonalDataRequested): Promise<void>;
}

/** A line of the record, and the blobs that it belongs to. */
export interface AuditLine {
  readonly series: "restores" | "vault" | "personal-data";
  readonly at: string;
  readonly text: string;
}

const lineOf = (event: string, entry: object): string => `${JSON.stringify({ v: 1, event, ...entry })}\n`;

export const restoreLine = (entry: RestoreRequested): AuditLine => {
  const parsed = RestoreRequested.parse(entry);
  return { series: "restores", at: parsed.at, text: lineOf("restore-requested", parsed) };
};

export const vaultLine = (entry: VaultChange): AuditLine => {
  const { event, ...parsed } = VaultChange.parse(entry);
  return { series: "vault", at: parsed.at, text: lineOf(event, parsed) };
};

export const personalDataLine = (entry: PersonalDataRequested): AuditLine => {
  const parsed = PersonalDataRequested.parse(entry);
  return { series: "personal-data", at: parsed.at, text: lineOf("personal-data-requested", parsed) };
};

/** The blob of a line's month; when it is full, the second and so on of that month. */
export const auditBlobName = ({ series, at }: Pick<AuditLine, "series" | "at">, number: number): string =>
  `${series}-${at.slice(0, 7)}${number === 1 ? "" : `-${number}`}.jsonl`;
