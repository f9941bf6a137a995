import type { Entry } from "../paging/sorted-runs.ts";
import { NO_ANSWER, type Settled } from "../upload/ledger.ts";
import type { ComparedEntry, FolderCounts, LiveEntry, Row, Tally, Version, WantedEntry } from "./comparison-state.ts";
import { NO_OUTCOMES } from "./folder-reports.ts";
import type { ItemReport } from "./restore-report.ts";

/** Compares the items of a plan, by what the ledgers say of them, with the live items of the target. */
export interface ItemComparison {
  /** Takes in an item of the plan. Returns it with a key to match it by, unless its outcome is clear. */
  add(wanted: WantedEntry): { readonly by: "id" | "copy"; readonly entry: WantedEntry } | undefined;
  /**
   * Matches what has one id: the live item, if it is there, with the first item of the plan that was imported as it.
   * Returns what is to be matched by copies.
   */
  matchIds(group: readonly ComparedEntry[]): ComparedEntry[];
  /** Matches what is left of one item's copies. */
  matchCopies(group: readonly ComparedEntry[]): void;
  /** What was counted and found since it was taken last. */
  take(): { readonly tally: Tally; readonly rows: Entry<Row>[]; readonly versions: Entry<Version>[] };
}

/**
 * `before` is what earlier steps counted. With `unseen`, every item is there that a ledger says to be imported; what
 * lay in a folder that is `gone` is not.
 */
export const itemComparison = (
  before: Tally,
  {
    folderIdOf,
    unseen,
    gone,
  }: {
    readonly folderIdOf: (folder: number) => string;
    readonly unseen: boolean;
    readonly gone: ReadonlySet<number>;
  },
): ItemComparison => {
  let tally: Tally = structuredClone(before);
  let rows: Entry<Row>[] = [];
  let versions: Entry<Version>[] = [];

  const countsOf = ({ folder }: Pick<WantedEntry, "folder">): FolderCounts => {
    const counts = tally.folders[folder] ?? { ...NO_OUTCOMES };
    tally.folders[folder] = counts;
    return counts;
  };
  const restored = (wanted: WantedEntry, outcome: "imported" | "replaced"): void => {
    const { folder, id, rawBytes, position } = wanted;
    tally[outcome] += 1;
    tally.bytes += rawBytes;
    countsOf(wanted).present += 1;
    if (outcome === "replaced")
      rows.push({ key: `${ITEM} ${position}`, value: { folderId: folderIdOf(folder), id, outcome } });
  };
  const notRestored = (wanted: WantedEntry): void => {
    const { folder, id, position, settled } = wanted;
    const outcome = settled?.op === "failed" || settled?.op === "ambiguous" ? settled.op : "missing";
    tally[outcome] += 1;
    countsOf(wanted).missing += 1;
    const why = settled === undefined ? { unsettled: true as const } : reasonOf(settled);
    rows.push({ key: `${ITEM} ${position}`, value: { folderId: folderIdOf(folder), id, outcome, ...why } });
  };

  return {
    add: (wanted) => {
      const counts = countsOf(wanted);
      counts.wanted += 1;
      const { settled, copy } = wanted;
      if (settled !== undefined && "itemId" in settled) {
        counts[settled.op] += 1;
        return { by: "id", entry: wanted };
      }
      if (copy !== undefined) return { by: "copy", entry: wanted };
      notRestored(wanted);
      return undefined;
    },

    matchIds: (group) => {
      const live = group.find((entry) => entry.t === "live" && !gone.has(entry.folder)) as LiveEntry | undefined;
      const wanted = inOrder(group);
      const [first] = wanted;
      if (first === undefined) return live?.copy === undefined ? [] : [live];
      return wanted.flatMap((entry) => {
        const { settled } = entry;
        const isThere = entry === first && (unseen || live !== undefined);
        if (isThere && settled !== undefined && "itemId" in settled) {
          restored(entry, settled.op);
          const isUnversioned = settled.op === "imported" && settled.changeKey === undefined;
          if (isUnversioned && live?.changeKey)
            versions.push({ key: entry.position, value: [settled.itemId, live.changeKey] });
        } else if (entry.copy === undefined) notRestored(entry);
        if (entry.copy === undefined) return [];
        return [isThere ? { ...entry, isThere } : entry];
      });
    },

    matchCopies: (group) => {
      const lookAt = [...new Set(group.flatMap((entry) => (entry.t === "live" ? [entry.id] : [])))];
      const wanted = inOrder(group);
      const open = wanted.filter(({ isThere }) => !isThere);
      let copies = lookAt.length;
      for (const entry of open) {
        const { settled } = entry;
        if (settled?.op !== "ambiguous" && mayBeThere(settled) && copies > 0) {
          copies -= 1;
          restored(entry, settled !== undefined && "itemId" in settled ? settled.op : "imported");
        } else notRestored(entry);
      }
      const [first] = wanted;
      const count = lookAt.length - open.filter(({ settled }) => mayBeThere(settled)).length;
      if (first === undefined || count <= 0) return;
      tally.surplus += count;
      countsOf(first).surplus += count;
      const row = { folderId: folderIdOf(first.folder), id: first.id, outcome: "surplus", lookAt } as const;
      rows.push({ key: `${SURPLUS} ${first.position}`, value: row });
    },

    take: () => {
      const taken = { tally, rows, versions };
      tally = structuredClone(tally);
      [rows, versions] = [[], []];
      return taken;
    },
  };
};

/** Rows are in the order of the plan, those of copies that are too many last. */
const ITEM = "0";
const SURPLUS = "1";

const inOrder = (group: readonly ComparedEntry[]): WantedEntry[] =>
  group
    .filter((entry) => entry.t === "wanted")
    .toSorted((a, b) => (a.position < b.position ? -1 : Number(a.position > b.position)));

/** Of most failed items, Exchange is known to have imported nothing. */
const mayBeThere = (settled: Settled | undefined): boolean => settled?.op !== "failed" || settled.code === NO_ANSWER;

/** Why an item did not come back, or may not have, and which live items to look at. */
const reasonOf = (settled: Settled): Pick<ItemReport, "code" | "lookAt"> => {
  if (settled.op === "failed") return { code: settled.code };
  if (settled.op !== "ambiguous") return {};
  const { code, lookAt } = settled;
  return { ...(code === undefined ? {} : { code }), ...(lookAt === undefined ? {} : { lookAt }) };
};
