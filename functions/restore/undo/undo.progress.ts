import * as z from "zod";
import { Waiting } from "../../../shared/durable/waits.ts";
import type { UndoTotals } from "./undo.contract.ts";

const Count = z.int().nonnegative();

/** The custom status of an undo, which `GET /api/jobs/{id}` shows while it runs. Counts are of finished chunks. */
export const UndoStatus = z.object({
  phase: z.enum(["waiting", "surveying", "deleting", "reporting", "done"]),
  examined: Count,
  deleted: Count,
  throttled: Count,
  /** What it waits for, while it does. */
  waiting: Waiting.optional(),
  /** It was told to pause, and has. */
  paused: z.literal(true).optional(),
});
export type UndoStatus = z.output<typeof UndoStatus>;

export const undoStatus = (phase: UndoStatus["phase"], totals: UndoTotals): UndoStatus => ({ phase, ...totals });
