import * as z from "zod";
import { Waiting } from "../../shared/durable/waits.ts";
import { Refusal } from "./request/resolve-list.contract.ts";
import type { RestorePlan, RestoreTotals } from "./restore.contract.ts";
import { RestoreOutcomes } from "./restore-list.contract.ts";

const Count = z.int().nonnegative();

/** The custom status of a restore, which `GET /api/jobs/{id}` shows while it runs. */
export const RestoreStatus = z.object({
  phase: z.enum(["waiting", "planning", "folders", "importing", "reconciling", "done"]),
  items: Count,
  present: Count,
  bytes: Count,
  imported: Count,
  replaced: Count,
  ambiguous: Count,
  failed: Count,
  importedBytes: Count,
  throttled: Count,
  /** What it waits for, while it does. */
  waiting: Waiting.optional(),
  /** It was told to pause, and has. */
  paused: z.literal(true).optional(),
  /** Both are absent until a wave has imported something. */
  itemsPerSecond: z.number().optional(),
  etaSeconds: Count.optional(),
});
export type RestoreStatus = z.output<typeof RestoreStatus>;

/** The custom status of a place of a list's window; `running` is the restore that it runs now. */
export const PlaceStatus = RestoreOutcomes.omit({ failures: true }).extend({
  running: z.string().optional(),
  waiting: Waiting.optional(),
  paused: z.literal(true).optional(),
});
export type PlaceStatus = z.output<typeof PlaceStatus>;

/** The custom status of a list of restores. */
export const ListStatus = z.object({
  phase: z.enum(["resolving", "refused", "restoring", "done"]),
  restores: Count,
  /** Restores that were looked up; absent once all are. */
  resolved: Count.optional(),
  mailboxes: Count,
  places: Count,
  /** What it waits for, while it does. */
  waiting: Waiting.optional(),
  /** It was told to pause, and has. */
  paused: z.literal(true).optional(),
  /** Of a list that is refused. */
  result: Refusal.optional(),
});
export type ListStatus = z.output<typeof ListStatus>;

/** Items that a wave settled, and its time with the wait that Graph asked for after it. */
export interface WavePace {
  readonly settled: number;
  readonly elapsedMs: number;
}

/** The rate is that of the last wave; the estimate assumes that it stays the same. */
export const restoreStatus = (
  phase: RestoreStatus["phase"],
  plan: Pick<RestorePlan, "items" | "present" | "bytes">,
  { imported, replaced, ambiguous, failed, bytes, throttled }: RestoreTotals,
  pace?: WavePace,
): RestoreStatus => ({
  phase,
  items: plan.items,
  present: plan.present,
  bytes: plan.bytes,
  imported,
  replaced,
  ambiguous,
  failed,
  importedBytes: bytes,
  throttled,
  ...(pace && estimate(pace, Math.max(0, plan.items - imported - replaced - ambiguous - failed))),
});

const estimate = (
  { settled, elapsedMs }: WavePace,
  left: number,
): Pick<RestoreStatus, "itemsPerSecond" | "etaSeconds"> =>
  estimatedEnd(elapsedMs === 0 ? 0 : (settled * 1000) / elapsedMs, left);

/** One decimal, so that a slow restore has a rate too. Neither is known before something is settled. */
export const estimatedEnd = (
  perSecond: number | undefined,
  left: number,
): Pick<RestoreStatus, "itemsPerSecond" | "etaSeconds"> =>
  perSecond
    ? { itemsPerSecond: Math.round(perSecond * 10) / 10, etaSeconds: Math.ceil(Math.max(0, left) / perSecond) }
    : {};
