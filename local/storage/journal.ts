import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BlobEvent } from "./events.ts";

const Entry = z.object({ functionName: z.string(), event: BlobEvent });
type Entry = z.infer<typeof Entry>;

/** The deliveries that are under way, on disk, so that a killed process takes them up again. */
export interface Journal {
  /** Returns how to strike the entry out. Adding an entry again changes nothing. */
  add(entry: Entry): () => void;
  entries(): Entry[];
}

/**
 * Keeps each entry as a file of its own in `dir`. Synchronous: an event is on disk before the client has its answer.
 */
export const openJournal = (dir: string): Journal => {
  mkdirSync(dir, { recursive: true });
  return {
    add: (entry) => {
      const path = join(dir, `${entry.event.id}-${encodeURIComponent(entry.functionName)}.json`);
      writeFileSync(`${path}.new`, JSON.stringify(entry));
      renameSync(`${path}.new`, path);
      return () => rmSync(path, { force: true });
    },
    entries: () =>
      readdirSync(dir)
        .filter((name) => name.endsWith(".json"))
        .map((name) => Entry.parse(JSON.parse(readFileSync(join(dir, name), "utf8")))),
  };
};
