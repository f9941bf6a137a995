import * as z from "zod";
import { SnapshotId } from "../../../shared/contracts/ids.ts";
import { Moment } from "../../../shared/contracts/item-query.ts";
import { JobId } from "../../../shared/contracts/job-ids.ts";
import { MAX_ITEMS, OnConflict, Selection, Target } from "../restore.contract.ts";
import { MAX_RESTORES } from "../restore-list.contract.ts";

/** Why, in the operator's own words, for the audit log. */
const Reason = z.string().trim().min(1).max(500);

/** Where to: folders of the mailbox itself, or of another one, which is named as the mailbox is. */
const WantedTarget = z.union([
  Target,
  z.strictObject({ mailbox: z.string().min(1), folders: Target.default("new-folder") }),
]);

/** What to bring back, from where, and where to. */
const Wish = z.object({
  /** A user by id or principal name, or a mailbox key. */
  mailbox: z.string().min(1),
  snapshot: SnapshotId.optional(),
  /** Means the newest snapshot that had begun by then. */
  at: Moment.optional(),
  select: Selection,
  target: WantedTarget.default("new-folder"),
  onConflict: OnConflict.default("skip"),
});
export type Wish = z.output<typeof Wish>;

const isOneTime = ({ snapshot, at }: Pick<Wish, "snapshot" | "at">): boolean =>
  snapshot === undefined || at === undefined;
const TWO_TIMES = { path: ["at"], error: "Expected either a snapshot or a time, not both" };

/** One restore. */
export const RestoreRequest = z
  .strictObject({ ...Wish.shape, dryRun: z.boolean().default(false), reason: Reason })
  .refine(isOneTime, TWO_TIMES);
export type RestoreRequest = z.output<typeof RestoreRequest>;

/** Which restores of a list start first. */
const Priority = z.enum(["high", "normal", "low"]);
export type Priority = z.output<typeof Priority>;

/** A restore of a list. What it does not say of itself, the list says for all. */
const Entry = z
  .strictObject({
    ...Wish.shape,
    select: Selection.optional(),
    target: WantedTarget.optional(),
    onConflict: OnConflict.optional(),
    priority: Priority.default("normal"),
  })
  .refine(isOneTime, TWO_TIMES);

/** Many restores, each of a mailbox of its own. */
export const RestoreListRequest = z
  .strictObject({
    restores: z.array(Entry).min(1).max(MAX_RESTORES),
    at: Wish.shape.at,
    select: Selection.optional(),
    target: Wish.shape.target,
    onConflict: Wish.shape.onConflict,
    dryRun: z.boolean().default(false),
    reason: Reason,
  })
  .transform(({ restores, at, dryRun, reason, ...common }, ctx) => {
    const wishes = restores.map(({ priority, ...entry }, position) => {
      const { select = common.select, target = common.target, onConflict = common.onConflict, ...from } = entry;
      if (select === undefined)
        ctx.addIssue({ code: "custom", path: ["restores", position, "select"], message: "Expected here, or for all" });
      const time = from.snapshot === undefined && from.at === undefined && at !== undefined ? { at } : {};
      return { ...from, ...time, select: select ?? EVERYTHING, target, onConflict, priority };
    });
    if (wishes.reduce((sum, { select }) => sum + named(select), 0) > MAX_ITEMS)
      ctx.addIssue({
        code: "custom",
        path: ["restores"],
        message: `Expected at most ${MAX_ITEMS} items by their ids`,
      });
    return { wishes, dryRun, reason };
  });
export type RestoreListRequest = z.output<typeof RestoreListRequest>;

const EVERYTHING: Selection = { all: true };

const named = (select: Selection): number => ("items" in select ? select.items.length : 0);

/** A restore that carries out what a dry run planned. */
export const PlannedRestoreRequest = z.strictObject({ plan: JobId, reason: Reason });
export type PlannedRestoreRequest = z.output<typeof PlannedRestoreRequest>;

/** What a body means to start, well-formed or not. */
export const kindOf = (body: unknown): "plan" | "list" | "restore" => {
  if (typeof body !== "object" || body === null) return "restore";
  if ("plan" in body) return "plan";
  return "restores" in body ? "list" : "restore";
};
