import { createHash } from "node:crypto";
import * as z from "zod";
import { type Blobs, collect, jsonBytes, readJson, required } from "../storage/blobs.ts";
import { createAnew } from "../storage/create-once.ts";

/** What an upload was started with, and the lines of each of its pieces. */
const Started = z.object({ call: z.string(), lines: z.array(z.int().positive()).min(1) });

const LINES_KEY = "lines";
const SUM_KEY = "sha256";

/** The lines of a piece without blank ones. */
export const textLines = (bytes: Uint8Array): string[] =>
  new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");

/** The pieces of one upload, in the scratch data of the job that has the same id. */
export const piecesOf = (work: Blobs, id: string) => {
  const folder = `${id}/pieces/`;
  const nameOf = (piece: number): string => `${folder}p${String(piece).padStart(6, "0")}.txt`;
  const startedName = `${id}/started.json`;

  const found = async (piece: number) => {
    const metadata = (await work.info(nameOf(piece)))?.metadata;
    return metadata && { lines: Number(metadata[LINES_KEY]), sum: metadata[SUM_KEY] };
  };

  return {
    /** Keeps a piece, unless there is one; then that one stands. A job that has begun takes no more pieces. */
    keep: async (piece: number, bytes: Buffer, lines: number): Promise<"kept" | "same" | "other" | "started"> => {
      const sum = sha256(bytes);
      const kept = await found(piece);
      if (kept === undefined) {
        if ((await work.info(startedName)) !== undefined) return "started";
        const metadata = { [LINES_KEY]: String(lines), [SUM_KEY]: sum };
        if ((await work.create(nameOf(piece), bytes, { contentType: "text/plain", metadata })) === "created")
          return "kept";
      }
      return (kept ?? (await found(piece)))?.sum === sum ? "same" : "other";
    },

    /** The numbers of the pieces that are there, in their order. */
    numbers: async (): Promise<number[]> => {
      const numbers: number[] = [];
      for await (const { name } of work.list(folder)) numbers.push(Number(name.slice(folder.length + 1, -4)));
      return numbers;
    },

    /** The number of lines of a piece that is there. */
    linesOf: async (piece: number): Promise<number> => required(await found(piece), nameOf(piece)).lines,

    /** The lines of a piece. @throws {Error} when it is gone. */
    read: async (piece: number): Promise<string[]> => {
      const body = await work.read(nameOf(piece));
      return textLines(await collect(required(body, nameOf(piece))));
    },

    /** Keeps lines that came in one body, as the only piece. Made again, the first ones stand. */
    keepWhole: (lines: readonly string[]): Promise<void> => createAnew(work, nameOf(0), Buffer.from(lines.join("\n"))),

    /** Notes what a job is started with. False when it was started with something else, or with other pieces. */
    start: async (call: unknown, lines: readonly number[]): Promise<boolean> => {
      const own = { call: sha256(JSON.stringify([call, lines])), lines: [...lines] };
      await createAnew(work, startedName, jsonBytes(own));
      return required(await readJson(work, startedName, Started), startedName).call === own.call;
    },

    /** The number of lines of each piece. @throws {Error} when the job's scratch data is gone. */
    startedLines: async (): Promise<readonly number[]> =>
      required(await readJson(work, startedName, Started), startedName).lines,
  };
};

const sha256 = (data: Uint8Array | string): string => createHash("sha256").update(data).digest("hex");
