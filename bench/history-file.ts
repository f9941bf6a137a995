import { stat } from "node:fs/promises";

/** Between two looks: what a generation wrote after the last one is missed. */
const LOOK_MS = 25;

export interface HistorySize {
  /** Over all generations. */
  readonly totalBytes: number;
  /** Of the largest generation: what a turn has to replay at most. */
  readonly largestBytes: number;
}

/** Adds up what is seen of a file that grows, and that each generation replaces by one of its own. */
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

/** Follows the file in which the task hub keeps one instance. `end` looks a last time. */
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
