import { stat } from "node:fs/promises";

/** Between two reads. What a generation writes after the last read of it is not counted. */
const LOOK_MS = 25;

export interface HistorySize {
  /** Over all generations. */
  readonly totalBytes: number;
  /** Of the largest generation: the most that a turn has to replay. */
  readonly largestBytes: number;
}

/** Adds up the sizes of a file that grows, and that each generation replaces by its own. */
export const historySize = () => {
  let totalBytes = 0;
  let largestBytes = 0;
  let current = { inode: 0, bytes: 0 };
  return {
    see(inode: number, bytes: number): void {
      totalBytes += inode === current.inode ? bytes - current.bytes : bytes;
      current = { inode, bytes };
      largestBytes = Math.max(largestBytes, bytes);
    },
    size: (): HistorySize => ({ totalBytes, largestBytes }),
  };
};

/** Follows the file of one instance of the task hub. `end` reads it a last time. */
export const followHistory = (path: string): { end(): Promise<HistorySize> } => {
  const sizes = historySize();
  const look = async (): Promise<void> => {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (found !== undefined) sizes.see(found.ino, found.size);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return {
    end: async () => {
      clearInterval(timer);
      await look();
      return sizes.size();
    },
  };
};
