import * as z from "zod";
import { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Generation } from "../jobs/generation.contract.ts";

const Count = z.int().nonnegative();

/** The activities return Graph's refusals as values; this covers crashes and outages. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** An export, and which of its containers: there is a new one after each request that Graph did not answer. */
const Package = z.object({ exportId: RunId, attempt: z.int().positive() });

/**
 * Asks Graph to export someone's personal data into a new container. `unanswered`: an earlier request for that
 * container reached Graph, and its outcome is unknown. `limited`: refused for now. `refused`: refused for good.
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

/**
 * Asks for the state of an export. `unknown`: a state that the app does not know; `limited`: Graph did not answer yet.
 */
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

/**
 * Copies the newest snapshots of mailboxes into the package, until done or time is up; `next`: the position to go on.
 */
export const copyMailboxData = defineActivity({
  name: "copy-mailbox-data",
  input: Package.extend({ mailboxes: z.array(MailboxKey).min(1), from: Count }),
  output: Copied.extend({ next: Count.optional() }),
  retry: OUTAGE_RETRY,
});

/** Files of a package, and their bytes. */
const Listed = z.object({ files: Count, bytes: Count });

/** Hashes the next page of a package's files, as many as time allows, and writes the inventory after the last. */
export const listPersonalData = defineActivity({
  name: "list-personal-data",
  input: Package.extend({ page: Count }),
  output: Listed.extend({ inventorySha256: z.string().optional() }),
  retry: OUTAGE_RETRY,
});

/** The output of an export. It has counts only, since names of files may say something about a person. */
export const PersonalDataResult = Listed.extend({
  inventorySha256: z.string(),
  copied: Copied,
  /** Requests that Graph did not answer. Each may have started an export into a container that was then removed. */
  unanswered: Count,
});
export type PersonalDataResult = z.output<typeof PersonalDataResult>;

/** The stage of an export; `attempt` says which of its containers it uses. */
const Stage = z.discriminatedUnion("stage", [
  z.object({
    stage: z.literal("asking"),
    attempt: z.int().positive(),
    /** Why it asks again. */
    after: z.enum(["limited", "unanswered"]).optional(),
  }),
  z.object({
    stage: z.literal("waiting"),
    attempt: z.int().positive(),
    operationId: z.string().min(1),
    waitMs: Count,
    progress: z.number().optional(),
    /** When it polls, once it has begun to wait for that. */
    due: z.iso.datetime().optional(),
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

export const ExportPersonalDataInput = Generation.extend({
  exportId: RunId,
  /** The object id of the person in the directory. */
  userId: z.string().min(1),
  /** Mailboxes whose newest snapshots are copied into the package. */
  mailboxes: z.array(MailboxKey),
  /** When waiting for Microsoft ends. */
  until: z.iso.datetime(),
  /** Set when a generation goes on where the last one ended. */
  resume: Stage.optional(),
});
export type ExportPersonalDataInput = z.output<typeof ExportPersonalDataInput>;
