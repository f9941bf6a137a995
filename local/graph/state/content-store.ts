import { randomUUID } from "node:crypto";
import { createReadStream, mkdirSync, renameSync } from "node:fs";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Imported streams, one file each: content never stays in memory. */
export interface ContentStore {
  readonly stage: () => Promise<StagedContent>;
  readonly read: (name: string, start?: number, bytes?: number) => AsyncIterable<Uint8Array>;
  readonly dispose: () => Promise<void>;
}

/** A file that is not yet part of a mailbox. */
export interface StagedContent {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly readAt: (start: number, bytes: number) => Promise<Buffer>;
  /** Gives the file its lasting name, at once, so that a commit can follow without a gap. */
  readonly keep: () => string;
  /** Closes the file, and removes it unless it was kept. */
  readonly close: () => Promise<void>;
}

const READ_BYTES = 48 * 1024;

/** Keeps content in `folder`, or, when there is none, in a temporary folder that `dispose` removes. */
export const contentStore = async (folder: string | undefined): Promise<ContentStore> => {
  const root = folder ?? (await mkdtemp(path.join(tmpdir(), "graph-emulator-")));
  await mkdir(root, { recursive: true });
  const fileOf = (name: string) => path.join(root, name.slice(0, 2), name);

  return {
    stage: async () => {
      const name = randomUUID();
      const staged = path.join(root, `${name}.staged`);
      const file = await open(staged, "w+");
      return {
        write: async (bytes) => {
          await file.write(bytes);
        },
        readAt: async (start, bytes) => {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, start);
          return buffer.subarray(0, bytesRead);
        },
        keep: () => {
          mkdirSync(path.dirname(fileOf(name)), { recursive: true });
          renameSync(staged, fileOf(name));
          return name;
        },
        close: async () => {
          await file.close();
          await rm(staged, { force: true });
        },
      };
    },
    read: (name, start = 0, bytes) =>
      createReadStream(fileOf(name), {
        start,
        ...(bytes !== undefined && { end: start + bytes - 1 }),
        highWaterMark: READ_BYTES,
      }),
    dispose: async () => {
      if (folder === undefined) await rm(root, { recursive: true, force: true });
    },
  };
};
