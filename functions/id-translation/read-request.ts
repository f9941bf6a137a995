import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { IdFormats } from "../../shared/contracts/id-formats.ts";
import { TRANSLATE_IDS_LIMIT } from "../../shared/contracts/limits.ts";
import { BrokenJsonError, type JsonReader, jsonReader } from "../../shared/json/json-reader.ts";
import { type ShapeCheck, shapeCheck } from "./malformed-ids.ts";

/** Most ids in one request. Our own choice, as are the longest id and the largest body. */
export const MAX_IDS = 1_000_000;
const MAX_ID_CHARS = 1_024;
const MAX_BODY_BYTES = 250_000_000;

interface Limits {
  readonly ids: number;
  readonly bytes: number;
}

const LIMITS: Limits = { ids: MAX_IDS, bytes: MAX_BODY_BYTES };

/** The fields of a request, without its ids. */
const Fields = z
  .strictObject({ mailbox: z.string().min(1), from: IdFormats.shape.from, to: IdFormats.shape.to })
  .refine(({ from, to }) => from !== to, { path: ["to"], error: "Expected a format other than that of from" });
type Fields = z.output<typeof Fields>;

/** A request. It holds its ids only if they fit one answer. */
export interface TranslationRequest extends Fields {
  readonly count: number;
  readonly ids: readonly string[] | undefined;
  readonly shapes: ShapeCheck;
}

/** A body with fields that do not parse. */
export class InvalidBodyError extends Error {
  override readonly name = "InvalidBodyError";
  readonly error: z.ZodError;

  constructor(error: z.ZodError) {
    super("The body of the request does not parse");
    this.error = error;
  }
}

/** A body over the limit. */
export class LargeBodyError extends Error {
  override readonly name = "LargeBodyError";

  constructor() {
    super(`The body is over ${MAX_BODY_BYTES} bytes`);
  }
}

/** Keeps a piece of the ids in scratch data. */
type Keep = (piece: number, ids: readonly string[]) => Promise<void>;

/**
 * Reads a request with any number of ids in bounded memory. Ids that do not fit one answer are passed to `keep` in
 * pieces, in order; the next piece is read meanwhile.
 *
 * @throws {InvalidBodyError} {LargeBodyError}
 */
export const readTranslationRequest = async (
  body: HttpRequest["body"],
  keep: Keep,
  limits = LIMITS,
): Promise<TranslationRequest> => {
  const ids = idSink(keep, limits.ids);
  const fields: [name: string, value: unknown][] = [];
  const bytes = limited(body, limits.bytes);
  try {
    const json = jsonReader(bytes);
    await json.expect("{");
    if (!(await json.accept("}"))) {
      do {
        const name = await json.string();
        await json.expect(":");
        if (name === "ids") await readIds(json, ids);
        else fields.push([name, JSON.parse(await json.value())]);
      } while (await json.accept(","));
      await json.expect("}");
    }
    await json.end();
  } catch (error) {
    await Promise.all([ids.settled(), drain(bytes)]);
    if (!(error instanceof BrokenJsonError || error instanceof SyntaxError)) throw error;
    throw invalid([], "Expected a JSON object of mailbox, ids, from and to");
  }
  const parsed = Fields.safeParse(Object.fromEntries(fields));
  if (!parsed.success) throw new InvalidBodyError(parsed.error);
  return { ...parsed.data, ...(await ids.end()) };
};

/** Reads a refused body to its end: the next request on the connection comes after it. */
const drain = async (bytes: AsyncGenerator<Uint8Array>): Promise<void> => {
  for (let more = true; more; ) more = !(await bytes.next()).done;
};

const invalid = (path: (string | number)[], message: string): InvalidBodyError =>
  new InvalidBodyError(new z.ZodError([{ code: "custom", path, message, input: undefined }]));

const LIST = `Expected a list of 1 to ${MAX_IDS} ids`;
const ID = `Expected an id: text of 1 to ${MAX_ID_CHARS} characters`;

const readIds = async (json: JsonReader, ids: IdSink): Promise<void> => {
  if (ids.count > 0) throw invalid(["ids"], "Expected one list of ids");
  if (!(await json.accept("["))) throw invalid(["ids"], LIST);
  if (await json.accept("]")) return;
  do {
    if ((await json.peek()) !== QUOTE) throw invalid(["ids", ids.count], ID);
    await ids.add(await json.string());
  } while (await json.accept(","));
  await json.expect("]");
};

const QUOTE = '"'.charCodeAt(0);

interface IdSink {
  readonly count: number;
  add(id: string): Promise<void>;
  /** Waits for the piece that is being kept. */
  settled(): Promise<void>;
  end(): Promise<Pick<TranslationRequest, "count" | "ids" | "shapes">>;
}

/** Takes ids one by one, and keeps them in pieces, one at a time. */
const idSink = (keep: Keep, maxIds: number): IdSink => {
  const shapes = shapeCheck();
  let piece: string[] = [];
  let pieces = 0;
  let count = 0;
  let keeping: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    await keeping;
    keeping = keep(pieces, piece);
    // A failure is thrown where it is awaited next.
    keeping.catch(() => undefined);
    pieces += 1;
    piece = [];
  };

  return {
    get count() {
      return count;
    },
    add: async (id) => {
      if (id === "" || id.length > MAX_ID_CHARS) throw invalid(["ids", count], ID);
      if (count === maxIds) throw invalid(["ids"], LIST);
      if (piece.length === TRANSLATE_IDS_LIMIT) await flush();
      shapes.add(id, count);
      piece.push(id);
      count += 1;
    },
    settled: async () => {
      await keeping.catch(() => undefined);
    },
    end: async () => {
      if (count === 0) throw invalid(["ids"], LIST);
      const ids = pieces === 0 ? piece : undefined;
      if (ids === undefined) await flush();
      await keeping;
      return { count, ids, shapes };
    },
  };
};

/**
 * The bytes of a body as they arrive. A reader that stops early leaves the stream open: cancelling it would cut the
 * connection before the answer is sent.
 */
async function* limited(body: HttpRequest["body"], maxBytes: number): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    bytes += value.length;
    if (bytes > maxBytes) throw new LargeBodyError();
    yield value;
  }
}
