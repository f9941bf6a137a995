import * as z from "zod";
import { SnapshotId } from "../../../shared/contracts/ids.ts";
import { Moment } from "../../../shared/contracts/item-query.ts";
import { JobId } from "../../../shared/contracts/job-ids.ts";
import { MAX_ITEMS, OnConflict, Priority, Selection, Target } from "../restore.contract.ts";
import { MAX_RESTORES } from "../restore-list.contract.ts";

/** Why, in the operator's own words, for the audit log. */
export const Reason = z.string().trim().min(1).max(500);

/** Where to: folders of the mailbox itself, or of another one, named in the same way. */
const TargetSpec = z.union([
  Target,
  z.strictObject({ mailbox: z.string().min(1), folders: Target.default("new-folder") }),
]);
export type TargetSpec = z.output<typeof TargetSpec>;

/** What to do while another restore has the mailbox to restore into: wait for it, or answer 409 with its job. */
const WhenBusy = z.enum(["wait", "refuse"]).default("wait");

/** What to bring back, from where, and where to. */
const RestoreSpec = z.object({
  /** A user by id or principal name, or a mailbox key. */
  mailbox: z.string().min(1),
  snapshot: SnapshotId.optional(),
  /** Restores from the newest snapshot that had begun by then. */
  at: Moment.optional(),
  select: Selection,
  target: TargetSpec.default("new-folder"),
  onConflict: OnConflict.default("skip"),
});
export type RestoreSpec = z.output<typeof RestoreSpec>;

const isOneTime = ({ snapshot, at }: Pick<RestoreSpec, "snapshot" | "at">): boolean =>
  snapshot === undefined || at === undefined;
const TWO_TIMES = { path: ["at"], error: "Expected either a snapshot or a time, not both" };

/** One restore. */
export const RestoreRequest = z
  .strictObject({ ...RestoreSpec.shape, dryRun: z.boolean().default(false), whenBusy: WhenBusy, reason: Reason })
  .refine(isOneTime, TWO_TIMES);
export type RestoreRequest = z.output<typeof RestoreRequest>;

/** A restore of a list, with the list's defaults filled in. */
export const ListEntry = RestoreSpec.extend({ priority: Priority });
export type ListEntry = z.output<typeof ListEntry>;

/** A restore of a list, as a body has it. The list has the defaults of fields that are missing here. */
const Entry = z
  .strictObject({
    ...RestoreSpec.shape,
    select: Selection.optional(),
    target: TargetSpec.optional(),
    onConflict: OnConflict.optional(),
    priority: Priority.default("normal"),
  })
  .refine(isOneTime, TWO_TIMES);

/** A restore of a list as a line of JSON. */
export const EntryLine = z
  .string()
  .transform((line, ctx): unknown => {
    try {
      return JSON.parse(line);
    } catch {
      ctx.addIssue({ code: "custom", message: "Expected a restore as JSON on one line" });
      return z.NEVER;
    }
  })
  .pipe(Entry);

/** A list whose restores were uploaded before. Reading it again checks its other fields, which are those of a list. */
export const UploadedListRequest = z.looseObject({
  upload: z.string(),
  /** They are held in memory together. Our own choice. */
  pieces: z.int().min(1).max(8),
  restores: z.undefined("Expected either restores or an upload, not both").optional(),
});

/** Many restores, each with a mailbox of its own. */
export const RestoreListRequest = z
  .strictObject({
    restores: z.array(Entry).min(1).max(MAX_RESTORES),
    at: RestoreSpec.shape.at,
    select: Selection.optional(),
    target: RestoreSpec.shape.target,
    onConflict: RestoreSpec.shape.onConflict,
    dryRun: z.boolean().default(false),
    reason: Reason,
  })
  .transform(({ restores, at, dryRun, reason, ...common }, ctx) => {
    const specs = restores.map(({ priority, ...entry }, position) => {
      const { select = common.select, target = common.target, onConflict = common.onConflict, ...from } = entry;
      if (select === undefined)
        ctx.addIssue({ code: "custom", path: ["restores", position, "select"], message: "Expected here, or for all" });
      const time = from.snapshot === undefined && from.at === undefined && at !== undefined ? { at } : {};
      return { ...from, ...time, select: select ?? EVERYTHING, target, onConflict, priority };
    });
    if (specs.reduce((sum, { select }) => sum + namedItems(select), 0) > MAX_ITEMS)
      ctx.addIssue({
        code: "custom",
        path: ["restores"],
        message: `Expected at most ${MAX_ITEMS} items by their ids`,
      });
    return { specs, dryRun, reason };
  });
export type RestoreListRequest = z.output<typeof RestoreListRequest>;

const EVERYTHING: Selection = { all: true };

const namedItems = (select: Selection): number => ("items" in select ? select.items.length : 0);

/** A restore that carries out what a dry run planned. */
export const PlannedRestoreRequest = z.strictObject({ plan: JobId, whenBusy: WhenBusy, reason: Reason });
export type PlannedRestoreRequest = z.output<typeof PlannedRestoreRequest>;

/** What kind of request a body is, also when it is malformed. */
export const kindOf = (body: unknown): "plan" | "list" | "uploaded-list" | "restore" => {
  if (typeof body !== "object" || body === null) return "restore";
  if ("upload" in body) return "uploaded-list";
  if ("plan" in body) return "plan";
  return "restores" in body ? "list" : "restore";
};
