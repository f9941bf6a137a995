import { type AppendBlobClient, type ContainerClient, RestError } from "@azure/storage-blob";
import * as z from "zod";
import { parseJson } from "../../../shared/storage/blobs.ts";

const ItemPosition = z.object({ item: z.int().nonnegative() });

/**
 * What a restore did, or was about to do, with item `item` of a chunk. An `intent` is written before each POST of the
 * item; `refused` cancels the last intent when Exchange is known to have refused the item. `away`: the last intent met
 * an outage, so it says nothing about the item.
 */
export const LedgerEntry = z.discriminatedUnion("op", [
  ItemPosition.extend({ op: z.literal("intent") }),
  ItemPosition.extend({
    op: z.literal("refused"),
    /** The session that refused it, by when it expires, where that was with 403. */
    session: z.string().optional(),
  }),
  ItemPosition.extend({ op: z.literal("away") }),
  ItemPosition.extend({ op: z.literal("imported"), itemId: z.string().min(1) }),
  ItemPosition.extend({ op: z.literal("replaced"), itemId: z.string().min(1) }),
  ItemPosition.extend({ op: z.literal("ambiguous") }),
  ItemPosition.extend({ op: z.literal("failed"), code: z.string() }),
]);
export type LedgerEntry = z.output<typeof LedgerEntry>;

/** The final outcome of an item. */
export type Settled = Exclude<LedgerEntry, { op: "intent" | "refused" | "away" }>;

/** The last outcome of each settled item. */
export const settledItems = (entries: readonly LedgerEntry[]): Map<number, Settled> =>
  new Map(entries.flatMap((entry) => (isSettled(entry) ? [[entry.item, entry]] : [])));

const isSettled = (entry: LedgerEntry): entry is Settled =>
  entry.op !== "intent" && entry.op !== "refused" && entry.op !== "away";

/** The session that refused each item last, of the items that one refused with 403. */
export const refusingSessions = (entries: readonly LedgerEntry[]): Map<number, string> =>
  new Map(entries.flatMap((entry) => (entry.op === "refused" && entry.session ? [[entry.item, entry.session]] : [])));

/**
 * The imports of each item that were tried and whose outcome the ledger does not know. Of those that met an outage, one
 * counts, so that the item is looked for.
 */
export const openTries = (entries: readonly LedgerEntry[]): Map<number, number> => {
  const tries = new Map<number, number>();
  for (const { op, item } of entries) {
    if (op === "intent") tries.set(item, (tries.get(item) ?? 0) + 1);
    if (op === "away") tries.set(item, triesInOutage((tries.get(item) ?? 1) - 1));
    if (op === "refused") tries.set(item, (tries.get(item) ?? 1) - 1);
  }
  return tries;
};

/** Tries of an item after one more that met an outage. */
export const triesInOutage = (tries: number): number => Math.max(1, tries);

/** The ledger of one chunk, leased to one writer at a time. */
export interface Ledger {
  /** The entries that were written before it was opened, in order. */
  readonly entries: readonly LedgerEntry[];
  /** Whether this writer may go on: false once another may hold the lease. */
  held(): boolean;
  /** Durable when it resolves. @throws {LedgerLostError} when another writer holds the ledger now. */
  append(entries: readonly LedgerEntry[]): Promise<void>;
  close(): Promise<void>;
}

/** Another delivery of the same work holds the ledger. */
export class LedgerLostError extends Error {
  override readonly name = "LedgerLostError";
}

/** The ledgers of a container of append blobs. */
export interface Ledgers {
  /** @throws {LedgerLostError} when another writer holds it and does not release it in time. */
  open(name: string): Promise<Ledger>;
  /** The entries of every ledger under a prefix, ledger by ledger in the order of names. */
  readAll(prefix: string): AsyncIterable<{ name: string; entries: LedgerEntry[] }>;
}

/** Longest fixed lease in Blob Storage. Source: learn.microsoft.com/rest/api/storageservices/lease-blob. */
const LEASE_SECONDS = 60;
const RENEW_MS = 15_000;
/** No POST begins with less of the lease left than this. */
const SAFETY_MS = 20_000;

/** How long a writer waits for the lease of another: an abandoned lease ends within a minute. */
const ACQUIRE_DEADLINE_MS = 75_000;
const ACQUIRE_INTERVAL_MS = 1_000;

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof RestError && codes.includes(error.code ?? "");

/**
 * Ledgers as append blobs under a lease. The storage refuses an append under a lost lease, so two deliveries of a wave
 * cannot both own an item.
 */
export const blobLedgers = (container: ContainerClient): Ledgers => ({
  readAll: async function* (prefix) {
    for await (const { name } of container.listBlobsFlat({ prefix }))
      yield { name, entries: parseEntries(name, await download(container, name)) };
  },

  open: async (name) => {
    const blob = container.getAppendBlobClient(name);
    await createUnlessLeased(blob);
    const lease = blob.getBlobLeaseClient();
    let heldUntil = (await acquire(() => lease.acquireLease(LEASE_SECONDS), name)) + LEASE_SECONDS * 1000;
    const entries = parseEntries(name, await download(container, name));
    const renewal = setInterval(() => {
      const sent = Date.now();
      lease.renewLease().then(
        () => {
          heldUntil = sent + LEASE_SECONDS * 1000;
        },
        () => undefined, // `held` then turns false by itself
      );
    }, RENEW_MS);
    renewal.unref();

    return {
      entries,
      held: () => Date.now() + SAFETY_MS < heldUntil,
      append: async (entries) => {
        const lines = Buffer.from(entries.map((entry) => `${JSON.stringify(LedgerEntry.parse(entry))}\n`).join(""));
        try {
          await blob.appendBlock(lines, lines.length, { conditions: { leaseId: lease.leaseId } });
        } catch (error) {
          if (hasCode(error, "LeaseLost", "LeaseIdMismatchWithBlobOperation", "LeaseNotPresentWithBlobOperation"))
            throw new LedgerLostError(`${name} is leased to another writer`, { cause: error });
          throw error;
        }
      },
      close: async () => {
        clearInterval(renewal);
        await lease.releaseLease().catch((error: unknown) => {
          if (!hasCode(error, "LeaseIdMismatchWithLeaseOperation", "LeaseNotPresentWithLeaseOperation", "LeaseLost"))
            throw error;
        });
      },
    };
  },
});

/** Returns the earliest time at which the lease may have begun. */
const acquire = async (take: () => Promise<unknown>, name: string): Promise<number> => {
  const until = Date.now() + ACQUIRE_DEADLINE_MS;
  for (;;) {
    const sent = Date.now();
    try {
      await take();
      return sent;
    } catch (error) {
      if (!hasCode(error, "LeaseAlreadyPresent")) throw error;
      if (Date.now() > until) throw new LedgerLostError(`${name} is leased to another writer`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, ACQUIRE_INTERVAL_MS));
  }
};

const download = async (container: ContainerClient, name: string): Promise<Buffer> =>
  container.getAppendBlobClient(name).downloadToBuffer();

/** An append is all or nothing, so every line is whole. */
const parseEntries = (name: string, text: Buffer): LedgerEntry[] =>
  text
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => parseJson(name, Buffer.from(line), LedgerEntry));

/** For a leased blob that exists, Azure may answer that the lease is missing, and not that the blob exists. */
const createUnlessLeased = async (blob: AppendBlobClient): Promise<void> => {
  try {
    await blob.createIfNotExists();
  } catch (error) {
    if (!hasCode(error, "LeaseIdMissing")) throw error;
  }
};
