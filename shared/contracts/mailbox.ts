import * as z from "zod";
import { MailboxKey } from "./ids.ts";

/** A mailbox as it is passed between steps. The id is personal data of the tenant; names are made of the key. */
export const MailboxRef = z.object({
  key: MailboxKey,
  id: z.string().min(1),
  kind: z.enum(["primary", "archive"]),
  userId: z.string().min(1),
});
export type MailboxRef = z.output<typeof MailboxRef>;

/** What made a backup start. */
export const Trigger = z.enum(["schedule", "request", "event"]);
export type Trigger = z.output<typeof Trigger>;
