import { setTimeout } from "node:timers/promises";
import type * as z from "zod";

/**
 * `exists`: a blob of that name existed, and was not changed. It may be of another try, or of this very call when the
 * answer to its first request was lost.
 */
export type Created = "created" | "exists";

/** Keys are lower-case identifiers and values ASCII, as Blob Storage sends them in headers. */
export type Metadata = Readonly<Record<string, string>>;

export interface CreateOptions {
  contentType?: string;
  metadata?: Metadata;
}

interface BlobInfo {
  bytes: number;
  metadata: Metadata;
}

interface ListedBlob {
  name: string;
  bytes: number;
  modified: Date;
  etag: string;
}

/**
 * The operations on one container. An absent blob is `undefined`; any other error is thrown, also that of a missing
 * container. Only `replace` overwrites a blob's content.
 */
export interface Blobs {
  create(name: string, body: Uint8Array, options?: CreateOptions): Promise<Created>;
  /** Uploads one block of a future blob. All block ids of a blob have the same length, and no two writers share one. */
  stage(name: string, blockId: string, body: Uint8Array): Promise<Created>;
  commit(name: string, blockIds: readonly string[], options?: CreateOptions): Promise<Created>;
  info(name: string): Promise<BlobInfo | undefined>;
  /** The bytes of the range that exist: a range past the end is empty. */
  read(name: string, range?: { offset: number; length: number }): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** `at`: when storage answered, by its own clock, in milliseconds since the epoch and cut to whole seconds. */
  readWhole(name: string): Promise<{ body: Buffer; etag: string; at?: number } | undefined>;
  /** Writes only over the version of `etag` (`undefined`: only if absent); false when another writer was first. */
  replace(name: string, body: Uint8Array, etag: string | undefined): Promise<boolean>;
  /**
   * `refused`: the blob was not changed, because of a write-once container, a lease or a missing permission, or since
   * it is no longer of the version `etag`, or no longer there.
   */
  remove(name: string, etag?: string): Promise<"removed" | "absent" | "refused">;
  /** Makes a blob count as modified now, with its content as it is. One that is absent, or leased, stays as it is. */
  renew(name: string): Promise<void>;
  /** Every blob whose name begins with the prefix, in the order of names. */
  list(prefix: string): AsyncIterable<ListedBlob>;
  /** The distinct names up to the next `/` after the prefix, without that `/`. */
  listFolders(prefix: string): AsyncIterable<string>;
}

/** A blob with wrong content. No retry helps; the message names the blob. */
export class UnreadableBlobError extends Error {
  override readonly name: string = "UnreadableBlobError";
  readonly blob: string;
  readonly problem: string;

  constructor(problem: string, where: { blob: string; cause?: unknown }) {
    super(`${where.blob}: ${problem}`, { cause: where.cause });
    this.blob = where.blob;
    this.problem = problem;
  }
}

/** Parses bytes of a blob. @throws {UnreadableBlobError} with the blob's name when they do not match the schema. */
export const parseJson = <T>(name: string, body: Uint8Array, schema: z.ZodType<T>): T => {
  try {
    return schema.parse(JSON.parse(Buffer.from(body).toString("utf8")));
  } catch (cause) {
    throw new UnreadableBlobError("is not the expected JSON", { blob: name, cause });
  }
};

/** Reads a JSON blob; `undefined` when it is absent. @throws {UnreadableBlobError} when it does not parse. */
export const readJson = async <T>(blobs: Blobs, name: string, schema: z.ZodType<T>): Promise<T | undefined> => {
  const found = await blobs.readWhole(name);
  return found && parseJson(name, found.body, schema);
};

/** The bytes of a JSON blob. */
export const jsonBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Returns what was read from a job's scratch data. @throws {Error} that begins with `what` when nothing was found. */
export const required = <T>(found: T | undefined, what: string): T => {
  if (found === undefined) throw new Error(`${what}: it was never made, or has expired`);
  return found;
};

/** Tries of a guarded update before giving up: each lost try means that another writer succeeded. */
const UPDATE_ATTEMPTS = 12;

/** Longest wait after the first lost update, doubled with each: it separates writers that lost at the same time. */
const UPDATE_WAIT_MS = 10;

/** How a value is stored as JSON. */
interface JsonForm {
  /** `undefined`: as if there were no blob. */
  parse<T>(name: string, body: Uint8Array, schema: z.ZodType<T>): T | undefined;
  bytes(value: object): Buffer;
}

const PLAIN: JsonForm = { parse: parseJson, bytes: jsonBytes };

/**
 * Reads, changes and writes a JSON blob under its ETag, and returns what is then stored. `change` is called again when
 * another writer came between, so its result must depend on its argument only.
 */
export const updateJson = async <T extends object>(
  blobs: Blobs,
  name: string,
  schema: z.ZodType<T>,
  change: (current: T | undefined) => T,
  form = PLAIN,
): Promise<T> => {
  for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt += 1) {
    const found = await blobs.readWhole(name);
    const next = schema.parse(change(found && form.parse(name, found.body, schema)));
    if (await blobs.replace(name, form.bytes(next), found?.etag)) return next;
    await setTimeout(Math.random() * UPDATE_WAIT_MS * 2 ** attempt);
  }
  throw new Error(`${name}: lost ${UPDATE_ATTEMPTS} updates in a row to other writers`);
};

/**
 * Like `updateJson`, with the time by storage's own clock, which all processes share, in milliseconds since the epoch.
 * A blob that does not exist is made first, as `empty`: only storage's answer to a read tells its time.
 */
export const updateByStorageClock = async <T extends object>(
  blobs: Blobs,
  name: string,
  schema: z.ZodType<T>,
  empty: T,
  change: (current: T, nowMs: number) => T,
): Promise<T> => {
  let nowMs: number | undefined;
  const readWhole: Blobs["readWhole"] = async () => {
    const found = await blobs.readWhole(name);
    if (found === undefined) await blobs.create(name, jsonBytes(empty));
    const there = found ?? (await blobs.readWhole(name));
    nowMs = there?.at;
    return there;
  };
  return updateJson({ ...blobs, readWhole }, name, schema, (current = empty) => change(current, nowMs ?? Date.now()));
};

/** Reads a short stream into one buffer. */
export const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
};
