import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { SlotHold } from "../../slots/slots.contract.ts";
import { underHold } from "../../slots/under-hold.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { underLease } from "../target/under-lease.ts";
import type { Undo } from "./undo.contract.ts";

/**
 * Does an activity's work while the undo has its mailbox to itself, which a dry run needs not, and its slots. Returns
 * `undefined` without beginning when either is another's.
 */
export const underHolds = <T>(
  work: Blobs,
  { undoId, mailbox, dryRun, hold }: Pick<Undo, "undoId" | "mailbox" | "dryRun"> & { readonly hold: SlotHold },
  use: (held: Held) => Promise<T>,
): Promise<T | undefined> =>
  underLease(work, { restoreId: undoId, mailbox, exclusive: !dryRun }, (lease) =>
    underHold(work, { mailboxKey: mailbox.key, hold }, (slots) =>
      use({ isHeld: () => slots.isHeld() && lease.isHeld() }),
    ),
  );
