import * as z from "zod";
import { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";

const Count = z.int().nonnegative();

/** The activities answer for Graph's refusals themselves; this covers crashes and outages. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** An export, and which of its containers: another one for each request that Graph never answered. */
const Package = z.object({ exportId: RunId, attempt: z.int().positive() });

/** The external event by which an export hears that Microsoft wrote a file. */
export const PERSONAL_DATA_WRITTEN = "personal-data-written";

/**
 * Asks Graph to export someone's personal data into a fresh container. `unanswered`: an earlier request for that container
 * reached Graph, and nobody knows what became of it. `limited`: not now. `refused`: never.
 */
export const requestPersonalDataExport = defineActivity({
  name: "request-personal-data-export",
  input: Package.extend({ userId: z.string().min(1) }),
  output: z.discriminatedUnion("outcome", [
    z.object({
      outcome: z.literal("accepted"),
      /** The container that the export writes to: an earlier one, when the answer to its request came late. */
      attempt: z.int().positive(),
      operationId: z.string().min(1),
      retryAfterMs: Count.optional(),
    }),
    z.object({ outcome: z.literal("unanswered") }),
    z.object({ outcome: z.literal("limited"), retryAfterMs: Count.optional() }),
    z.object({ outcome: z.literal("refused"), status: z.int(), code: z.string() }),
  ]),
  retry: OUTAGE_RETRY,
});

/** Looks how far an export is. `unknown` is whatever Graph may come to say; `limited`, that it did not say. */
export const checkPersonalDataExport = defineActivity({
  name: "check-personal-data-export",
  input: z.object({ operationId: z.string().min(1) }),
  output: z.object({
    state: z.enum(["notStarted", "running", "complete", "failed", "unknown", "limited"]),
    /** Percent. */
    progress: z.number().min(0).max(100).optional(),
    retryAfterMs: Count.optional(),
  }),
  retry: OUTAGE_RETRY,
});

/** Blobs of the vault that were copied into the package, and their bytes. */
const Copied = z.object({ blobs: Count, bytes: Count });
export type Copied = z.output<typeof Copied>;

/** Copies the newest snapshots of mailboxes into the package until all is there or time is up; `next` is where to go on. */
export const copyMailboxData = defineActivity({
  name: "copy-mailbox-data",
  input: Package.extend({ mailboxes: z.array(MailboxKey).min(1), from: Count }),
  output: Copied.extend({ next: Count.optional() }),
  retry: OUTAGE_RETRY,
});

/** What is in a package: files, their bytes and, once all are hashed, the SHA-256 of the inventory that names them. */
const Listed = z.object({ files: Count, bytes: Count });

/** Hashes the next page of a package's files, as many as time allows, and writes the inventory after the last. */
export const listPersonalData = defineActivity({
  name: "list-personal-data",
  input: Package.extend({ page: Count }),
  output: Listed.extend({ inventorySha256: z.string().optional() }),
  retry: OUTAGE_RETRY,
});

/** What an export came to. History holds counts only: names of files may say things about people. */
export const PersonalDataResult = Listed.extend({
  inventorySha256: z.string(),
  copied: Copied,
  /** Requests that Graph never answered: an export may have run for each, into a container that was then removed. */
  unanswered: Count,
});
export type PersonalDataResult = z.output<typeof PersonalDataResult>;

/** How far an export is; `attempt` is which of its containers it is about. */
const Stage = z.discriminatedUnion("stage", [
  z.object({ stage: z.literal("asking"), attempt: z.int().positive() }),
  z.object({
    stage: z.literal("waiting"),
    attempt: z.int().positive(),
    operationId: z.string().min(1),
    waitMs: Count,
    progress: z.number().optional(),
  }),
  z.object({ stage: z.literal("copying"), attempt: z.int().positive(), from: Count, copied: Copied }),
  z.object({
    stage: z.literal("listing"),
    attempt: z.int().positive(),
    page: Count,
    files: Count,
    bytes: Count,
    copied: Copied,
  }),
]);
export type Stage = z.output<typeof Stage>;

export const ExportPersonalDataInput = z.object({
  exportId: RunId,
  /** The object id of the person in the directory. */
  userId: z.string().min(1),
  /** Mailboxes whose newest snapshots belong into the package. */
  mailboxes: z.array(MailboxKey),
  /** When waiting for Microsoft ends. */
  until: z.iso.datetime(),
  /** Set when a generation goes on where the last one ended. */
  resume: Stage.optional(),
});
export type ExportPersonalDataInput = z.output<typeof ExportPersonalDataInput>;
