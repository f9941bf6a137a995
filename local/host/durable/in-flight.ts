import { appendFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What this host has taken from the queues, so that the next one knows what was in flight when this one died. */
export interface InFlight {
  /** Notes that something was taken; returns what notes that it is through. */
  take(key: string): () => void;
  /** What a host had taken that died. */
  readonly left: ReadonlySet<string>;
  /** That is visible again. */
  forgetLeft(): void;
  /** Gives everything back, as a host does that is stopped. */
  clear(): void;
}

/** Nothing is noted: what was in flight goes on at once. */
export const NOTHING_IN_FLIGHT: InFlight = {
  take: () => () => undefined,
  left: new Set(),
  forgetLeft: () => undefined,
  clear: () => undefined,
};

/** A file with a line for each. It is not flushed: it survives the death of a host, not of a machine. */
export const inFlightFile = (path: string): InFlight => {
  const left = readLeft(path);
  const taken = new Map<string, number>([...left].map((key) => [key, 1]));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, [...left].map((key) => `+${key}\n`).join(""));

  const count = (key: string, by: number): void => {
    const now = (taken.get(key) ?? 0) + by;
    if (now > 0) taken.set(key, now);
    else taken.delete(key);
    if (taken.size > 0) appendFileSync(path, `${by > 0 ? "+" : "-"}${key}\n`);
    else truncateSync(path);
  };

  return {
    left,
    take(key) {
      count(key, 1);
      return () => {
        if (taken.has(key)) count(key, -1);
      };
    },
    forgetLeft() {
      for (const key of left) count(key, -1);
      left.clear();
    },
    clear() {
      left.clear();
      taken.clear();
      truncateSync(path);
    },
  };
};

const readLeft = (path: string): Set<string> => {
  const counts = new Map<string, number>();
  for (const line of readIfThere(path).split("\n").slice(0, -1)) {
    const key = line.slice(1);
    counts.set(key, (counts.get(key) ?? 0) + (line.startsWith("+") ? 1 : -1));
  }
  return new Set([...counts].flatMap(([key, count]) => (count > 0 ? [key] : [])));
};

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
};
