import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import type { BackupProgress, RunPosition } from "./backup.contract.ts";

export const noProgress: BackupProgress = {
  wave: 0,
  lanes: MAILBOX_SLOTS,
  position: { nextChunk: 0, planned: false, at: { chunk: 0, batch: 0 }, again: [], compared: false },
  expectedItems: 0,
  itemsPerSecond: 0,
  totals: {
    planned: 0,
    exported: 0,
    skipped: 0,
    failed: 0,
    again: 0,
    removed: 0,
    bytes: 0,
    storedBytes: 0,
    throttled: 0,
  },
};

/** How long a run plans. What it has stored by then becomes a snapshot, and another run goes on. Our own choice. */
const PLANNING_MS = 24 * 3_600_000;

/** Whether a run has planned for its time. It plans one chunk at least, so that every run brings something. */
export const isPlanningOver = (elapsedMs: number, { nextChunk }: RunPosition): boolean =>
  nextChunk > 0 && elapsedMs >= PLANNING_MS;

/** Whether everything is planned, or as much as there is time for, and every batch is exported. */
export const isExported = ({ nextChunk, planned, at, again }: RunPosition, isPlanningOver = false): boolean =>
  (planned || isPlanningOver) && at.chunk >= nextChunk && again.length === 0;

/** Whether it is exported, and the folders of a whole run are compared. */
export const isDone = (position: RunPosition, isPlanningOver = false): boolean =>
  isExported(position, isPlanningOver) && (position.compared !== false || !position.planned);
