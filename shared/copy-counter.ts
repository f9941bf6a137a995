/**
 * Counts copies of items by folder and search key. Copies of an item share their search key, also within one folder
 * (MS-OXCPRPT 2.2.1.9), so it takes a count: to know that there is one is not enough.
 */
export interface CopyCounter {
  add(folderId: string, searchKey: string | undefined): void;
  /** Removes one copy; false if there is none, and always for an item without a search key. */
  take(folderId: string, searchKey: string | undefined): boolean;
  /** The number of copies that are left. */
  readonly size: number;
}

export const copyCounter = (): CopyCounter => {
  const counts = new Map<string, number>();
  let size = 0;
  const keyOf = (folderId: string, searchKey: string): string => `${folderId}\n${searchKey}`;
  return {
    add: (folderId, searchKey) => {
      if (searchKey === undefined) return;
      const key = keyOf(folderId, searchKey);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      size += 1;
    },
    take: (folderId, searchKey) => {
      if (searchKey === undefined) return false;
      const key = keyOf(folderId, searchKey);
      const count = counts.get(key) ?? 0;
      if (count === 0) return false;
      counts.set(key, count - 1);
      size -= 1;
      return true;
    },
    get size() {
      return size;
    },
  };
};
