import type { Ledger, LedgerEntry } from "./ledger.ts";

/** A ledger for several lanes: what they write at the same time goes out in one append. */
export interface GroupLedger {
  /** Written with whatever is written next. */
  note(entry: LedgerEntry): void;
  /** Durable when it resolves, with all that was noted before. */
  write(entry: LedgerEntry): Promise<void>;
  /** Writes what was noted, and lets go. */
  close(): Promise<void>;
}

export const groupLedger = (ledger: Pick<Ledger, "append" | "close">): GroupLedger => {
  let unwritten: LedgerEntry[] = [];
  let writing: Promise<void> = Promise.resolve();

  /** One append at a time; whoever comes meanwhile shares the next one. */
  const flush = (): Promise<void> => {
    writing = writing.then(async () => {
      const entries = unwritten;
      unwritten = [];
      if (entries.length > 0) await ledger.append(entries);
    });
    return writing;
  };

  return {
    note: (entry) => {
      unwritten.push(entry);
    },
    write: (entry) => {
      unwritten.push(entry);
      return flush();
    },
    close: async () => {
      try {
        await flush();
      } finally {
        await ledger.close();
      }
    },
  };
};
