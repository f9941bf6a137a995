import * as z from "zod";
import { WaitsFor } from "../target/hold-target.contract.ts";
import type { UndoTotals } from "./undo.contract.ts";

const Count = z.int().nonnegative();

/** The custom status of an undo, which `GET /api/jobs/{id}` shows while it runs. Counts are of finished chunks. */
export const UndoStatus = z.object({
  phase: z.enum(["waiting", "surveying", "deleting", "reporting", "done"]),
  examined: Count,
  deleted: Count,
  throttled: Count,
  /** While another job has the mailbox. */
  waitsFor: WaitsFor.optional(),
  /** Until when it waits for Graph or storage, which are away. */
  waitingUntil: z.iso.datetime().optional(),
});
export type UndoStatus = z.output<typeof UndoStatus>;

export const undoStatus = (phase: UndoStatus["phase"], totals: UndoTotals): UndoStatus => ({ phase, ...totals });
