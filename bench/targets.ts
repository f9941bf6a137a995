import type { Row } from "./measurement.ts";

/**
 * Every row of the benchmark, with its target. The numbers are the project's own choice, measured against the emulator
 * with the limits that Microsoft documents; a row without a target is for comparison.
 */

const share = (name: string, target?: number): Row => row(name, "", "higher", target);
const row = (name: string, unit: string, better: Row["better"], target?: number): Row => ({
  name,
  unit,
  better,
  ...(target === undefined ? {} : { target }),
});

const at = (latencySeconds: number): string => `at ${latencySeconds} s a request`;

/** Time of all of a run's Graph requests over its slots times its duration, from start to committed snapshot. */
export const slotUse = (latencySeconds: number): Row => share(`use of the 4 slots, ${at(latencySeconds)}`, 0.95);

/**
 * Requests over the number that a run needs: items / 20, one for each folder, its listing and delta pages, and the
 * look-ups of items and folders, without which nothing would leave a snapshot.
 */
export const requestRatio = (latencySeconds: number): Row =>
  row(`Graph requests over the least, ${at(latencySeconds)}`, "", "lower", 1.05);

export const itemRate = (latencySeconds: number): Row => row(`items, ${at(latencySeconds)}`, "/s", "higher");

const WHOLE = "a first run of 6,000 items in 45 folders";
/** From the call to the committed snapshot, in a mailbox as people have them. */
export const wholeUse = (latencySeconds: number): Row =>
  share(`use of the 4 slots, ${WHOLE}, ${at(latencySeconds)}`, latencySeconds < 1 ? 0.95 : 0.97);
export const wholeRequests = (latencySeconds: number): Row =>
  row(`Graph requests over the least, ${WHOLE}, ${at(latencySeconds)}`, "", "lower", 1.05);
export const wholeRefusals = (latencySeconds: number): Row =>
  row(`429 answers, ${WHOLE}, ${at(latencySeconds)}`, "", "lower", 0);

/** Over the longest chain of requests that need each other, and the rest on four slots. */
export const quietWall: Row = row(`time of a quiet run of 45 folders over the least, ${at(1)}`, "", "lower", 1.1);
export const changedRun: Row = row(
  `time of a run with 1 % changed in 45 folders over the least, ${at(1)}`,
  "",
  "lower",
  1.15,
);
export const nextRefusals: Row = row("429 answers, a quiet run and one with 1 % changed", "", "lower", 0);

const EIGHT = "eight mailboxes at a time in one process";
export const eightShare: Row = share(`slots' limit reached, ${EIGHT}, ${at(1)}`, 0.95);
export const eightRate: Row = row(`items, ${EIGHT}, ${at(1)}`, "/s", "higher");
export const eightMemory: Row = row(`peak memory, ${EIGHT}`, "MiB", "lower", 256);
export const eightRefusals: Row = row(`429 answers, ${EIGHT}`, "", "lower", 0);
export const eightCpu: Row = row(`CPU of the app for 1,000 items, ${EIGHT}`, "s", "lower");

export const storageWrites: Row = row("storage writes for 1,000 items", "", "lower", 60);

export const refusals = (processes: number): Row =>
  row(`429 answers, several mailboxes, ${processes} app process${processes === 1 ? "" : "es"}`, "", "lower", 0);

export const peakMemory = (what: string): Row => row(`peak memory, ${what}`, "MiB", "lower", 256);

/** Values that grow with the mailbox, for 1,000 of its items. */
export const historyBytes = (items: number): Row => row(`history for 1,000 items, of ${count(items)}`, "B", "lower");
export const replayTime = (items: number): Row => row(`replay for 1,000 items, of ${count(items)}`, "ms", "lower");
export const turnTime = (items: number): Row => row(`one orchestrator turn, of ${count(items)} items`, "ms", "lower");
export const largestHistory = (items: number): Row => row(`largest history, of ${count(items)} items`, "KiB", "lower");
export const itemTime = (items: number): Row => row(`time for 1,000 items, of ${count(items)}`, "s", "lower");

/** The same at a hundred times the size, at most 10 % more. */
export const historyGrowth: Row = row("history for 1,000 items, large over small", "", "lower", 1.1);
export const replayGrowth: Row = row("replay for 1,000 items, large over small", "", "lower", 1.1);

/** 100 folders, one listing of the folders, and a little room. */
export const quietRequests: Row = row("Graph requests of a quiet run of 100 folders", "", "lower", 105);
export const quietBytes: Row = row("bytes a quiet run stores beside head", "B", "lower", 0);

/** The same of 2,000 folders, with requests to export the mail and to enrich it. */
export const oneMailRequests: Row = row(
  "Graph requests of a night with one new mail in 2,000 folders",
  "",
  "lower",
  2_100,
);
/** A pack, parts and a manifest: nothing for each folder. */
export const oneMailBytes: Row = row("vault bytes of a night with one new mail in 2,000 folders", "KB", "lower", 20);
export const oneMailScratch: Row = row("scratch of a night with one new mail in 2,000 folders", "KB", "lower");

/** Bytes to the vault and to scratch, for an item of 1 KB: its content, its record, and its plan. */
export const retryBytes: Row = row("bytes of the retry of 20,000 failed items, for an item", "B", "lower", 4_000);
/** The same for each item, at four times the number, at most 10 % more. */
export const retryGrowth: Row = row("bytes of a retry for an item, 20,000 items over 5,000", "", "lower", 1.1);

/** What was under way when it died. */
export const exportedAgain: Row = row("items exported again after a run that died at 90 %", "", "lower", 0.03);

export const exportRate: Row = row("export pipeline, raw bytes", "MB/s", "higher");
export const uploadRate: Row = row("plain upload of the same bytes", "MB/s", "higher");
export const pipelineShare: Row = share("export pipeline over plain upload");

export const oursRate: Row = row("side by side: Mailbox Vault", "items/s", "higher");
export const scriptRate: Row = row("side by side: a script, 20 items after another", "items/s", "higher");
export const activitiesRate: Row = row("side by side: an activity for each batch", "items/s", "higher");
export const oursMemory: Row = row("side by side, 1 MB items: Mailbox Vault", "MiB", "lower");
export const activitiesMemory: Row = row("side by side, 1 MB items: an activity for each batch", "MiB", "lower");

/** A measured restore. A long one goes on after its first 150 MB of upload. */
export interface RestoreCase {
  readonly latencySeconds: number;
  readonly itemBytes: number;
  readonly isLong: boolean;
}

const of = ({ latencySeconds, itemBytes, isLong }: RestoreCase): string =>
  `${sizeOf(itemBytes)} items${isLong ? " past the first 150 MB" : ""}, ${at(latencySeconds)}`;

const sizeOf = (bytes: number): string => (bytes < 1e6 ? `${bytes / 1e3} KB` : `${bytes / 1e6} MB`);

/** Compared with the limit of slots or requests that binds, and in a long restore with that of bytes too. */
export const restoreShare = (which: RestoreCase): Row => share(`restore rate over its bound, ${of(which)}`, 0.95);
export const restoreRate = (which: RestoreCase): Row => row(`restored, ${of(which)}`, "items/s", "higher");
export const restoreRefusals = (which: RestoreCase): Row =>
  row(`429 answers to a restore, ${of(which)}`, "", "lower", 0);

/** The error of a plan's estimate, compared with the restore from its start to its report. */
export const planError = (which: RestoreCase): Row => row(`error of a plan's duration, ${of(which)}`, "%", "lower", 15);

export const restoreOursRate: Row = row("restore side by side: Mailbox Vault", "items/s", "higher");
export const restoreScriptRate: Row = row(
  "restore side by side: a script, one item after another",
  "items/s",
  "higher",
);

/** From the order to the last import that was sent, the slowest of several: a job looks at its orders every second. */
export const cancelSeconds: Row = row("from the cancel of a restore to its last import", "s", "lower", 2);

const THROUGH_OUTAGE = "eight restores of one list through an outage of 30 minutes";
/** Items that were not imported by the end, and copies beyond those that are reported. */
export const outageFailures: Row = row(`items failed, ${THROUGH_OUTAGE}`, "", "lower", 0);
export const outageSurplus: Row = row(`imports not reported, ${THROUGH_OUTAGE}`, "", "lower", 0);

/** A wave of the backup, 100 s, and then some twenty requests of a second, one by one, before the first item. */
export const firstImportSeconds: Row = row(
  "first import of a restore of 100 items beside a backup of the mailbox",
  "s",
  "lower",
  130,
);

export const bundleSize: Row = row("deployed bundle", "MB", "lower", 2);
export const loadTime: Row = row("load time of the bundle", "ms", "lower", 200);

const count = (items: number): string => items.toLocaleString("en");
