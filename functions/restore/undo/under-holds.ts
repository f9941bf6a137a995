import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { MailboxGates } from "../../../shared/graph/mailbox-gate.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { whileWatched } from "../../jobs/watch-wish.ts";
import type { SlotHold } from "../../slots/slots.contract.ts";
import { underHold } from "../../slots/under-hold.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { underLease } from "../target/under-lease.ts";
import type { Ledgers } from "../upload/ledger.ts";
import type { Undo } from "./undo.contract.ts";

/** What each activity of an undo that asks Graph needs. */
export interface UndoDeps {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  readonly state: Blobs;
  readonly ledgers: Ledgers;
  readonly gates?: MailboxGates;
  /** How long the mailbox and slots are held without being renewed. */
  readonly holdMs?: number | undefined;
}

/** What an activity of an undo works under: its slots and its mailbox, and what its job was told. */
export interface Holds extends Held {
  /** Aborted when the job was told to pause or to end. */
  readonly told: AbortSignal;
}

/**
 * Does an activity's work while the undo has its mailbox to itself, which a dry run needs not, and its slots. Returns
 * `undefined` without beginning when either is another's.
 */
export const underHolds = <T>(
  { work, state, holdMs }: Pick<UndoDeps, "work" | "state" | "holdMs">,
  { undoId, mailbox, dryRun, hold, jobs = [] }: Omit<Undo, "restoreId"> & { readonly hold: SlotHold },
  use: (holds: Holds) => Promise<T>,
): Promise<T | undefined> =>
  underLease(
    work,
    { restoreId: undoId, mailbox, exclusive: !dryRun },
    (lease) =>
      underHold(
        work,
        { mailboxKey: mailbox.key, hold },
        (slots) => whileWatched(state, jobs, (told) => use({ isHeld: () => slots.isHeld() && lease.isHeld(), told })),
        holdMs,
      ),
    holdMs,
  );
