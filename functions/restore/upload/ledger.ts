import { type AppendBlobClient, type ContainerClient, RestError } from "@azure/storage-blob";
import * as z from "zod";
import { parseJson } from "../../../shared/storage/blobs.ts";

const ItemPosition = z.object({ item: z.int().nonnegative() });

/** The final outcome of an item. `ambiguous` says why, and which live items to look at. */
export const Settled = z.discriminatedUnion("op", [
  ItemPosition.extend({
    op: z.literal("imported"),
    itemId: z.string().min(1),
    /** Its version: of the answer to its import or, where that did not come, of the look-up that found it. */
    changeKey: z.string().min(1).optional(),
  }),
  ItemPosition.extend({ op: z.literal("replaced"), itemId: z.string().min(1) }),
  ItemPosition.extend({
    op: z.literal("ambiguous"),
    code: z.string().optional(),
    lookAt: z.array(z.string()).optional(),
  }),
  ItemPosition.extend({ op: z.literal("failed"), code: z.string() }),
]);
export type Settled = z.output<typeof Settled>;

/**
 * What a restore did, or was about to do, with item `item` of a chunk. An `intent` is written before each POST of the
 * item, with the time by Exchange's own clock; `refused` cancels the last intent when Exchange is known to have refused
 * the item. `away`: the last intent met an outage, so it says nothing about the item.
 */
export const LedgerEntry = z.discriminatedUnion("op", [
  ItemPosition.extend({ op: z.literal("intent"), at: z.iso.datetime().optional() }),
  ItemPosition.extend({
    op: z.literal("refused"),
    /** The session that refused it, by when it expires, where that was with 403. */
    session: z.string().optional(),
  }),
  ItemPosition.extend({ op: z.literal("away") }),
  ...Settled.options,
]);
export type LedgerEntry = z.output<typeof LedgerEntry>;

/** The code of an item that failed since no try to import it was answered. */
export const NO_ANSWER = "no-answer";

/** The last outcome of each settled item. */
export const settledItems = (entries: readonly LedgerEntry[]): Map<number, Settled> =>
  new Map(entries.flatMap((entry) => (isSettled(entry) ? [[entry.item, entry]] : [])));

const isSettled = (entry: LedgerEntry): entry is Settled =>
  entry.op !== "intent" && entry.op !== "refused" && entry.op !== "away";

/** The session that refused each item last, of the items that one refused with 403. */
export const refusingSessions = (entries: readonly LedgerEntry[]): Map<number, string> =>
  new Map(entries.flatMap((entry) => (entry.op === "refused" && entry.session ? [[entry.item, entry.session]] : [])));

/** A try to import an item whose outcome is not known. */
export interface Try {
  /** When it was sent, by Exchange's clock; absent where an earlier version of the app sent it. */
  readonly at?: string | undefined;
  /** It met an outage: it says nothing about the item, and does not count against it. */
  readonly away?: true;
}

/** The tries of each item whose outcome the ledger does not know, in their order. */
export const openTries = (entries: readonly LedgerEntry[]): Map<number, readonly Try[]> => {
  const tries = new Map<number, readonly Try[]>();
  for (const entry of entries) {
    const before = tries.get(entry.item) ?? [];
    if (entry.op === "intent") tries.set(entry.item, [...before, { at: entry.at }]);
    if (entry.op === "refused") tries.set(entry.item, before.slice(0, -1));
    if (entry.op === "away") tries.set(entry.item, inOutage(before));
  }
  return tries;
};

/** The tries of an item, the last of which met an outage. */
export const inOutage = (tries: readonly Try[]): readonly Try[] =>
  tries.map((each, index) => (index === tries.length - 1 ? { ...each, away: true } : each));

/** The ledger of one chunk, leased to one writer at a time. */
export interface Ledger<E = LedgerEntry> {
  /** The entries that were written before it was opened, in order. */
  readonly entries: readonly E[];
  /** Whether this writer may go on: false once another may hold the lease. */
  held(): boolean;
  /** Like `held`, and asks storage when it has not been asked for a second. */
  confirmHeld(): Promise<boolean>;
  /** Durable when it resolves. @throws {LedgerLostError} when another writer holds the ledger now. */
  append(entries: readonly E[]): Promise<void>;
  close(): Promise<void>;
}

/** Another delivery of the same work holds the ledger. */
export class LedgerLostError extends Error {
  override readonly name = "LedgerLostError";
}

/** The ledgers of a container of append blobs. */
export interface Ledgers<E = LedgerEntry> {
  /** @throws {LedgerLostError} when another writer holds it and does not release it in time. */
  open(name: string): Promise<Ledger<E>>;
  /** The entries of one ledger; none where there is no such ledger. */
  read(name: string): Promise<E[]>;
  /** The entries of every ledger under a prefix, ledger by ledger in the order of names. */
  readAll(prefix: string): AsyncIterable<{ name: string; entries: E[] }>;
}

/** Longest fixed lease in Blob Storage. Source: learn.microsoft.com/rest/api/storageservices/lease-blob. */
const LEASE_SECONDS = 60;
const RENEW_MS = 15_000;
/** For how long an answer of storage about the lease is good enough. Our own choice. */
const CONFIRMED_MS = 1_000;
/** No POST begins with less of the lease left than this. */
const SAFETY_MS = 20_000;

/** Answers to the holder of a lease that it does not hold any more. Source: Blob service error codes. */
const LEASE_IS_LOST: readonly string[] = [
  "LeaseLost",
  "LeaseIdMismatchWithBlobOperation",
  "LeaseIdMismatchWithLeaseOperation",
  "LeaseIsBrokenAndCannotBeRenewed",
  "LeaseNotPresentWithBlobOperation",
  "LeaseNotPresentWithLeaseOperation",
];

/** How long a writer waits for the lease of another: an abandoned lease ends within a minute. */
const ACQUIRE_DEADLINE_MS = 75_000;
const ACQUIRE_INTERVAL_MS = 1_000;

/** The ledger, for a writer that must hold something else as well. */
export const whileHeld = <E>(ledger: Ledger<E>, other: { isHeld(): boolean }): Ledger<E> => ({
  ...ledger,
  held: () => ledger.held() && other.isHeld(),
  confirmHeld: async () => other.isHeld() && (await ledger.confirmHeld()) && other.isHeld(),
});

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof RestError && codes.includes(error.code ?? "");

/**
 * Ledgers as append blobs under a lease. The storage refuses an append under a lost lease, so two deliveries of a wave
 * cannot both own an item.
 */
export const blobLedgers = (container: ContainerClient): Ledgers => blobLedgersOf(container, LedgerEntry);

/** As `blobLedgers`, of another kind of work. */
export const blobLedgersOf = <E>(container: ContainerClient, entry: z.ZodType<E>): Ledgers<E> => ({
  read: async (name) => {
    try {
      return parseEntries(name, await download(container, name), entry);
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return [];
      throw error;
    }
  },

  readAll: async function* (prefix) {
    for await (const { name } of container.listBlobsFlat({ prefix }))
      yield { name, entries: parseEntries(name, await download(container, name), entry) };
  },

  open: async (name) => {
    const blob = container.getAppendBlobClient(name);
    await createUnlessLeased(blob);
    const lease = blob.getBlobLeaseClient();
    let confirmed = await acquire(() => lease.acquireLease(LEASE_SECONDS), name);
    let heldUntil = confirmed + LEASE_SECONDS * 1000;
    let lost = false;
    const held = (): boolean => !lost && Date.now() + SAFETY_MS < heldUntil;
    const renew = async (): Promise<void> => {
      const sent = Date.now();
      try {
        await lease.renewLease();
        confirmed = sent;
        heldUntil = sent + LEASE_SECONDS * 1000;
      } catch (error) {
        // After any other failure, `held` turns false by itself.
        lost ||= hasCode(error, ...LEASE_IS_LOST);
      }
    };
    let renewing: Promise<void> | undefined;
    const renewOnce = (): Promise<void> => {
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    };
    const entries = parseEntries(name, await download(container, name), entry);
    const renewal = setInterval(renewOnce, RENEW_MS);
    renewal.unref();

    return {
      entries,
      held,
      confirmHeld: async () => {
        if (held() && Date.now() - confirmed >= CONFIRMED_MS) await renewOnce();
        return held();
      },
      append: async (entries) => {
        const sent = Date.now();
        const lines = Buffer.from(entries.map((each) => `${JSON.stringify(entry.parse(each))}\n`).join(""));
        try {
          await blob.appendBlock(lines, lines.length, { conditions: { leaseId: lease.leaseId } });
          confirmed = Math.max(confirmed, sent);
        } catch (error) {
          if (!hasCode(error, ...LEASE_IS_LOST)) throw error;
          lost = true;
          throw new LedgerLostError(`${name} is leased to another writer`, { cause: error });
        }
      },
      close: async () => {
        clearInterval(renewal);
        await lease.releaseLease().catch((error: unknown) => {
          if (!hasCode(error, ...LEASE_IS_LOST)) throw error;
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
const parseEntries = <E>(name: string, text: Buffer, entry: z.ZodType<E>): E[] =>
  text
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => parseJson(name, Buffer.from(line), entry));

/** For a leased blob that exists, Azure may answer that the lease is missing, and not that the blob exists. */
const createUnlessLeased = async (blob: AppendBlobClient): Promise<void> => {
  try {
    await blob.createIfNotExists();
  } catch (error) {
    if (!hasCode(error, "LeaseIdMissing")) throw error;
  }
};
