import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Blobs } from "../shared/storage/blobs.ts";
import { foldSnapshot } from "../shared/vault/fold.ts";
import { readItem } from "../shared/vault/pack-reader.ts";
import { findMailbox, findSnapshot } from "./find.ts";
import { UsageError } from "./usage.ts";

/** Writes an item's raw stream to a new file, or to standard output. */
export const cat = async (
  vault: Blobs,
  output: Writable,
  { mailbox, snapshot, item, out }: { mailbox: string; snapshot: string; item: string; out: string | undefined },
): Promise<number> => {
  const key = await findMailbox(vault, mailbox);
  const { id } = await findSnapshot(vault, key, snapshot);
  for await (const record of foldSnapshot(vault, key, id, (live) => live.id === item)) {
    const stream = readItem(vault, record);
    if (out === undefined) await pipeline(stream, output, { end: false });
    else await pipeline(stream, createWriteStream(out, { flags: "wx" }));
    return 0;
  }
  throw new UsageError(`The snapshot ${id} has no item ${item}`);
};
