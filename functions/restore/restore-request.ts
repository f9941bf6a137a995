import * as z from "zod";
import { Moment } from "../../shared/contracts/item-query.ts";
import { OnConflict, Selection, Target } from "../../shared/contracts/restore.ts";
import { JobId, SnapshotId } from "../../shared/ids.ts";

/** Why, in the operator's own words, for the audit log. */
const Reason = z.string().trim().min(1).max(500);

/** Where to: folders of the mailbox itself, or of another one, which is named as the mailbox is. */
const WantedTarget = z.union([
  Target,
  z.strictObject({ mailbox: z.string().min(1), folders: Target.default("new-folder") }),
]);

/** A restore by what it is to bring back, from where, and where to. */
export const RestoreRequest = z
  .strictObject({
    /** A user by id or principal name, or a mailbox key. */
    mailbox: z.string().min(1),
    snapshot: SnapshotId.optional(),
    /** Means the newest snapshot that had begun by then. */
    at: Moment.optional(),
    select: Selection,
    target: WantedTarget.default("new-folder"),
    onConflict: OnConflict.default("skip"),
    dryRun: z.boolean().default(false),
    reason: Reason,
  })
  .refine(({ snapshot, at }) => snapshot === undefined || at === undefined, {
    path: ["at"],
    error: "Expected either a snapshot or a time, not both",
  });
export type RestoreRequest = z.output<typeof RestoreRequest>;

/** A restore that carries out what a dry run planned. */
export const PlannedRestoreRequest = z.strictObject({ plan: JobId, reason: Reason });
export type PlannedRestoreRequest = z.output<typeof PlannedRestoreRequest>;

/** Whether a body means to carry out a plan, well-formed or not. */
export const isPlanned = (body: unknown): boolean => typeof body === "object" && body !== null && "plan" in body;
