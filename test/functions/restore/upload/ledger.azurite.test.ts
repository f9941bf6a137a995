import { setImmediate } from "node:timers/promises";
import type { ContainerClient } from "@azure/storage-blob";
import { describe, expect, test, vi } from "vitest";
import { blobLedgers, LedgerLostError, settledItems } from "../../../../functions/restore/upload/ledger.ts";
import { UnreadableBlobError } from "../../../../shared/storage/blobs.ts";
import { all } from "../../../shared/vault/samples.ts";
import { useAzurite } from "../../../support/azurite.ts";
import { eventually } from "../../../support/eventually.ts";

const { freshContainer } = useAzurite();
const NAME = "restore-1/ledger/c000000.jsonl";

const someLedgers = async () => {
  const container = await freshContainer();
  return { container, ledgers: blobLedgers(container) };
};

/** Ends the lease on the blob after some seconds, as if its holder were gone. */
const breakLease = (container: ContainerClient) =>
  container.getAppendBlobClient(NAME).getBlobLeaseClient().breakLease(0);

/** Ledgers of a container that count how often a lease was refused to them. */
const watchedLedgers = (container: ContainerClient) => {
  const seen = { refused: 0 };
  const watched: ContainerClient = Object.assign(Object.create(container), {
    getAppendBlobClient: (name: string) => {
      const blob = container.getAppendBlobClient(name);
      const lease = blob.getBlobLeaseClient();
      const acquire = lease.acquireLease.bind(lease);
      lease.acquireLease = (seconds) =>
        acquire(seconds).catch((error: unknown) => {
          seen.refused += 1;
          throw error;
        });
      return Object.assign(blob, { getBlobLeaseClient: () => lease });
    },
  });
  return { seen, ledgers: blobLedgers(watched) };
};

/** Waits until a lease was refused so often, and lets the time between two tries pass at once. */
const refusals = async ({ seen }: { readonly seen: { readonly refused: number } }, count: number): Promise<void> => {
  for (let n = 1; n <= count; n += 1) {
    if (n > 1) vi.advanceTimersByTime(1_000);
    await eventually(`refusal number ${n}`, () => seen.refused >= n || undefined);
    // What waits after a refusal has set its timer by then.
    await setImmediate();
  }
};

describe("a ledger", () => {
  test("keeps its entries in order for the next writer", async () => {
    const { ledgers } = await someLedgers();
    const first = await ledgers.open(NAME);
    expect(first.entries).toEqual([]);

    await first.append([{ op: "intent", item: 0 }]);
    await first.append([
      { op: "imported", item: 0, itemId: "new-é" },
      { op: "intent", item: 1 },
    ]);
    await first.close();

    const second = await ledgers.open(NAME);
    expect(second.entries).toEqual([
      { op: "intent", item: 0 },
      { op: "imported", item: 0, itemId: "new-é" },
      { op: "intent", item: 1 },
    ]);
    await second.close();
  });

  test("is held by one writer at a time: a second one waits until the first releases it", async () => {
    const { container, ledgers } = await someLedgers();
    const first = await ledgers.open(NAME);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const other = watchedLedgers(container);
    const second = other.ledgers.open(NAME);

    await first.append([{ op: "intent", item: 0 }]);
    await refusals(other, 3);
    await first.close();
    vi.advanceTimersByTime(1_000);

    const { entries, close } = await second;
    expect(entries).toEqual([{ op: "intent", item: 0 }]);
    await close();
  });

  test("passes from a writer that is gone to the next, and takes no more entries from the first", async () => {
    const { container, ledgers } = await someLedgers();
    const gone = await ledgers.open(NAME);
    await gone.append([{ op: "intent", item: 0 }]);
    await breakLease(container);
    const next = await ledgers.open(NAME);
    expect(next.entries).toEqual([{ op: "intent", item: 0 }]);

    await expect(gone.append([{ op: "imported", item: 0, itemId: "x" }])).rejects.toThrow(LedgerLostError);
    await gone.close();

    await next.append([{ op: "ambiguous", item: 0 }]);
    await next.close();
    expect(await all(ledgers.readAll(""))).toEqual([
      {
        name: NAME,
        entries: [
          { op: "intent", item: 0 },
          { op: "ambiguous", item: 0 },
        ],
      },
    ]);
  });

  test("takes no entries from a writer whose lease ended, even without another writer", async () => {
    const { container, ledgers } = await someLedgers();
    const ledger = await ledgers.open(NAME);
    await breakLease(container);

    await expect(ledger.append([{ op: "intent", item: 0 }])).rejects.toThrow(LedgerLostError);
    await ledger.close();
  });

  test("counts as lost well before its lease may have ended", async () => {
    const { ledgers } = await someLedgers();
    vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
    const ledger = await ledgers.open(NAME);
    const opened = Date.now();

    vi.setSystemTime(opened + 39_000);
    expect(ledger.held()).toBe(true);
    vi.setSystemTime(opened + 40_000);
    expect(ledger.held()).toBe(false);

    vi.setSystemTime(opened);
    await ledger.close();
  });

  test("cannot be opened when its holder does not release it in time", async () => {
    const { container, ledgers } = await someLedgers();
    const holder = await ledgers.open(NAME);
    vi.useFakeTimers({ now: Date.now(), toFake: ["Date", "setTimeout", "clearTimeout"] });
    const other = watchedLedgers(container);
    const lost = expect(other.ledgers.open(NAME)).rejects.toThrow(LedgerLostError);

    await refusals(other, 1);
    vi.advanceTimersByTime(76_000);
    await lost;
    vi.useRealTimers();
    await holder.close();
  });

  test("cannot be opened when a line is not an entry", async () => {
    const { container, ledgers } = await someLedgers();
    const blob = container.getAppendBlobClient(NAME);
    await blob.create();
    await blob.appendBlock('{"op":"guess"}\n', 15);

    await expect(ledgers.open(NAME)).rejects.toThrow(UnreadableBlobError);
  });

  test("takes valid entries only", async () => {
    const { ledgers } = await someLedgers();
    const ledger = await ledgers.open(NAME);
    await expect(ledger.append([{ op: "imported", item: 0, itemId: "" }])).rejects.toThrow(/itemId/);
    await ledger.close();
  });
});

describe("readAll", () => {
  test("yields every ledger under a prefix in the order of names, empty ones too", async () => {
    const { ledgers } = await someLedgers();
    for (const name of ["a/c000001", "a/c000000", "b/c000000"]) {
      const ledger = await ledgers.open(name);
      if (name === "a/c000001") await ledger.append([{ op: "intent", item: 3 }]);
      await ledger.close();
    }

    expect(await all(ledgers.readAll("a/"))).toEqual([
      { name: "a/c000000", entries: [] },
      { name: "a/c000001", entries: [{ op: "intent", item: 3 }] },
    ]);
    expect(await all(ledgers.readAll("none/"))).toEqual([]);
  });
});

test("settledItems returns the last outcome of each item", () => {
  const settled = settledItems([
    { op: "intent", item: 0 },
    { op: "failed", item: 0, code: "x" },
    { op: "intent", item: 1 },
    { op: "imported", item: 0, itemId: "a" },
    { op: "ambiguous", item: 2 },
  ]);

  expect([...settled]).toEqual([
    [0, { op: "imported", item: 0, itemId: "a" }],
    [2, { op: "ambiguous", item: 2 }],
  ]);
});
