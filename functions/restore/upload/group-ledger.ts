import type { Ledger, LedgerEntry } from "./ledger.ts";

/** A ledger for several lanes, with group commit: entries written at the same time go out in one append. */
export interface GroupLedger<E = LedgerEntry> {
  /** Buffers an entry until the next write. */
  note(entry: E): void;
  /** The entry, and all buffered ones, are durable when it resolves. */
  write(entry: E): Promise<void>;
  /** Writes the buffered entries, and releases the ledger. */
  close(): Promise<void>;
}

export const groupLedger = <E>(ledger: Pick<Ledger<E>, "append" | "close">): GroupLedger<E> => {
  let buffer: E[] = [];
  let writing: Promise<void> = Promise.resolve();

  /** One append at a time. Entries that arrive meanwhile share the next one. */
  const flush = (): Promise<void> => {
    writing = writing.then(async () => {
      const entries = buffer;
      buffer = [];
      if (entries.length > 0) await ledger.append(entries);
    });
    return writing;
  };

  return {
    note: (entry) => {
      buffer.push(entry);
    },
    write: (entry) => {
      buffer.push(entry);
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
