import * as z from "zod";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { SlotHold } from "../../slots/slots.contract.ts";

/** What a step of planning, or of the comparison, works with. */
export const StepSlots = z.object({
  slots: z.int().positive().max(MAILBOX_SLOTS),
  /** The hold on these slots. */
  hold: SlotHold.optional(),
});

/** What a step returns that did not end its work: another one goes on from its checkpoint. */
export const Unfinished = z.object({
  unfinished: z.literal(true),
  /** Its slots, or the mailbox, were no longer the restore's: it ended early. */
  notHeld: z.literal(true).optional(),
});
export type Unfinished = z.output<typeof Unfinished>;

export const isUnfinished = (output: object): output is Unfinished => "unfinished" in output;
