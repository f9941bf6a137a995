import type { RestorePlan, RestoreTotals } from "./restore.contract.ts";

/** What `GET /api/jobs/{id}` shows of a restore while it runs. */
export interface RestoreStatus {
  readonly phase: "waiting" | "planning" | "folders" | "importing" | "reconciling" | "done";
  readonly items: number;
  readonly present: number;
  readonly bytes: number;
  readonly imported: number;
  readonly replaced: number;
  readonly ambiguous: number;
  readonly failed: number;
  readonly importedBytes: number;
  readonly throttled: number;
  /** Both are absent until a wave has imported something. */
  readonly itemsPerSecond?: number;
  readonly etaSeconds?: number;
}

/** What a wave of lanes brought to an end, and how long it took, with the wait that Graph asked for after it. */
export interface WavePace {
  readonly settled: number;
  readonly elapsedMs: number;
}

/** The rate is that of the last wave, and what is left is taken to go on at it. */
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
  ...(pace && prospect(pace, Math.max(0, plan.items - imported - replaced - ambiguous - failed))),
});

/** One decimal, so that a slow restore has a rate too. */
const prospect = (
  { settled, elapsedMs }: WavePace,
  left: number,
): Pick<RestoreStatus, "itemsPerSecond" | "etaSeconds"> => {
  if (settled === 0 || elapsedMs === 0) return {};
  const perSecond = (settled * 1000) / elapsedMs;
  return { itemsPerSecond: Math.round(perSecond * 10) / 10, etaSeconds: Math.ceil(left / perSecond) };
};
