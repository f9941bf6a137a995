import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";

/** An append-only file of JSON lines. */
export interface Journal<T> {
  readonly append: (entry: T) => void;
  readonly close: () => void;
}

/**
 * Opens a journal and yields its entries in order. A last line that a crash cut off is dropped, as its change was never
 * answered; any other line that does not parse throws.
 */
export const openJournal = <T>(file: string, schema: z.ZodType<T>): { entries: T[]; journal: Journal<T> } => {
  mkdirSync(path.dirname(file), { recursive: true });
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
  const entries = whole
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => schema.parse(JSON.parse(line)));

  const descriptor = openSync(file, "a");
  ftruncateSync(descriptor, whole.length);
  return {
    entries,
    journal: {
      append: (entry) => void writeSync(descriptor, `${JSON.stringify(entry)}\n`),
      close: () => closeSync(descriptor),
    },
  };
};
