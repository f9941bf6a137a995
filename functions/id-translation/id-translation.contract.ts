import * as z from "zod";
import { IdFormats, Refusal } from "../../shared/contracts/id-formats.ts";
import { RunId } from "../../shared/contracts/ids.ts";
import { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Generation } from "../jobs/generation.contract.ts";

const Count = z.int().nonnegative();

/** A translation of more ids than one answer holds. Its id names the ids and the results in scratch data. */
const Translation = IdFormats.extend({
  translationId: RunId,
  mailbox: MailboxRef,
  /** Pieces of up to 1,000 ids, and of their results. */
  pieces: z.int().positive(),
});

/** Translates pieces of ids from `piece` on, until all are done or time is up; `next` is the first piece left. */
export const translateIds = defineActivity({
  name: "translate-ids",
  input: Translation.extend({ piece: Count }),
  output: z.object({
    next: Count,
    /** Ids of the pieces that are done, by outcome. */
    translated: Count,
    failed: Count,
    throttled: Count,
    /** A wait that Graph asked for, longer than the activity's time. */
    waitMs: Count,
    refused: Refusal.optional(),
  }),
  retry: { firstIntervalMs: 10_000, attempts: 5, backoff: 2 },
});

/** Numbers of ids so far. */
export const TranslationTotals = z.object({ translated: Count, failed: Count, throttled: Count });
export type TranslationTotals = z.output<typeof TranslationTotals>;

/** The output of a translation. Its results are in scratch data, in pieces. */
export const TranslationResult = TranslationTotals.extend({ ids: Count, pieces: Count });
export type TranslationResult = z.output<typeof TranslationResult>;

export const TranslateExchangeIdsInput = Translation.extend({
  ...Generation.shape,
  ids: z.int().positive(),
  /** Set when a generation goes on where the last one ended. */
  resume: z.object({ piece: Count, totals: TranslationTotals }).optional(),
});
export type TranslateExchangeIdsInput = z.output<typeof TranslateExchangeIdsInput>;
