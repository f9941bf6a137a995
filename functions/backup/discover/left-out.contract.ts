import * as z from "zod";

/**
 * Why someone is not backed up, in the order of urgency: an entry of the scope that names no user; someone for whom
 * Graph had no answer; a mailbox that the app may not read; a user in scope without a mailbox; a user whom the settings
 * exclude. Where only licensed users are in scope, also a user without a licence who may not sign in (`disabled`, as
 * shared mailboxes are) or who may (`unlicensed`).
 */
export const LeftOutReason = z.enum([
  "unknown",
  "unanswered",
  "notPermitted",
  "withoutMailbox",
  "excluded",
  "disabled",
  "unlicensed",
]);
export type LeftOutReason = z.output<typeof LeftOutReason>;

/** Someone who is not backed up: by user id, or by the number of their entry in the scope, counted from 1. */
export const LeftOut = z.object({
  reason: LeftOutReason,
  user: z.string().optional(),
  entry: z.int().positive().optional(),
});
export type LeftOut = z.output<typeof LeftOut>;

/** Most left-out users that a result or a status names; all are counted. */
export const MAX_LEFT_OUT = 20;
