import { randomBytes } from "node:crypto";
import type { Blobs, Created, CreateOptions } from "./blobs.ts";

export interface BlockUpload {
  /** Bytes appended so far, which is the position of the next byte in the blob. */
  readonly bytes: number;
  /** Copies the bytes, so that the caller may reuse their memory. After a failed upload, every further call fails. */
  append(bytes: Uint8Array): Promise<void>;
  /** Returns what takes back all bytes that are appended from now on. */
  mark(): Promise<() => void>;
  /** Creates the whole blob, or nothing. */
  commit(): Promise<Created>;
}

/** Block size: almost every pack is one write of at most 4 MiB, and a lane needs no more memory than that. */
const BLOCK_BYTES = 4 * 1024 * 1024;

const FIRST_BUFFER_BYTES = 64 * 1024;

/**
 * Writes a blob of any length in bounded memory. A blob of up to `blockBytes` takes one Put Blob; a longer one takes
 * staged blocks and one Put Block List. An upload without `commit` leaves no blob: Blob Storage discards its blocks
 * after a week.
 */
export const openUpload = (
  blobs: Blobs,
  name: string,
  { blockBytes = BLOCK_BYTES, ...options }: CreateOptions & { blockBytes?: number } = {},
): BlockUpload => {
  // Blocks belong to the blob's name, not to a writer: two writers with equal block ids would mix their bytes.
  const writer = randomBytes(8).toString("hex");
  const blockIds: string[] = [];
  let buffer = Buffer.allocUnsafeSlow(Math.min(FIRST_BUFFER_BYTES, blockBytes));
  let used = 0;
  let bytes = 0;
  let exists = false;
  let broken: unknown;

  const makeRoom = async (): Promise<void> => {
    if (buffer.length < blockBytes) {
      const larger = Buffer.allocUnsafeSlow(Math.min(buffer.length * 2, blockBytes));
      buffer.copy(larger, 0, 0, used);
      buffer = larger;
      return;
    }
    await stage();
  };

  const stage = async (): Promise<void> => {
    const blockId = Buffer.from(`${writer}-${String(blockIds.length).padStart(6, "0")}`).toString("base64");
    try {
      if (!exists) exists = (await blobs.stage(name, blockId, buffer.subarray(0, used))) === "exists";
    } catch (error) {
      broken = error;
      throw error;
    }
    blockIds.push(blockId);
    used = 0;
  };

  const expectWhole = (): void => {
    if (broken !== undefined) throw new Error(`${name}: a block is missing, so nothing can follow`, { cause: broken });
  };

  return {
    get bytes() {
      return bytes;
    },

    append: async (piece) => {
      expectWhole();
      for (let done = 0; done < piece.length; ) {
        if (used === buffer.length) await makeRoom();
        const taken = Math.min(piece.length - done, buffer.length - used);
        buffer.set(piece.subarray(done, done + taken), used);
        used += taken;
        done += taken;
      }
      bytes += piece.length;
    },

    mark: async () => {
      expectWhole();
      // What is staged needs no memory until it is known whether the rest is taken back.
      if (used > 0) await stage();
      const before = { blocks: blockIds.length, bytes };
      return () => {
        blockIds.length = before.blocks;
        used = 0;
        bytes = before.bytes;
      };
    },

    commit: async () => {
      expectWhole();
      if (blockIds.length === 0) return blobs.create(name, buffer.subarray(0, used), options);
      if (used > 0) await stage();
      return exists ? "exists" : blobs.commit(name, blockIds, options);
    },
  };
};
