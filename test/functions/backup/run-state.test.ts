import { describe, expect, test } from "vitest";
import { foldFindings, readOutcome } from "../../../functions/backup/run-outcome.ts";
import {
  type Chunk,
  type Findings,
  findChunk,
  keepChunk,
  keepRun,
  keepWave,
  type RunState,
  readChunk,
  readRun,
  scratchOf,
  type WaveRecord,
} from "../../../functions/backup/run-state.ts";
import { partName } from "../../../shared/vault/names.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";

const RUN = "20261122T010000Z-abc234";

const aRun = (overrides: Partial<RunState> = {}): RunState => ({
  mailbox: aKey,
  run: RUN,
  started: "2026-11-22T01:00:00Z",
  parent: null,
  full: false,
  ...overrides,
});

const aChunk = (overrides: Partial<Chunk> = {}): Chunk => ({
  finished: [],
  events: [],
  problems: [],
  batches: [],
  seen: [],
  ...overrides,
});

describe("a run's state", () => {
  test("is that of the first delivery", async () => {
    const work = memoryBlobs();
    const first = aRun();

    expect(await keepRun(work, first)).toEqual(first);
    expect(await keepRun(work, aRun({ started: "2026-11-22T02:00:00Z" }))).toEqual(first);
    expect(await readRun(work, aKey, RUN)).toEqual(first);
  });

  test("of a run that was never opened throws an error that names it", async () => {
    await expect(readRun(memoryBlobs(), aKey, RUN)).rejects.toThrow(`The scratch data has no ${RUN}/run.json`);
  });

  test("of another mailbox or run throws an error", async () => {
    const work = memoryBlobs();
    const other = "b".repeat(26);
    await keepRun(scratchOf(work, aKey), aRun());

    await expect(readRun(scratchOf(work, other), other, RUN)).rejects.toThrow("The scratch data has no");
    await expect(readRun(scratchOf(work, aKey), other, RUN)).rejects.toThrow(`is of run ${RUN} of ${aKey}, not of`);
  });

  test("is not kept when it could not be read back", async () => {
    const work = memoryBlobs();
    await expect(keepRun(work, aRun({ started: "yesterday" }))).rejects.toThrow(/started/);
    expect(work.writes).toEqual([]);
  });
});

describe("the chain of chunks", () => {
  test("is decided by the first writer of a chunk", async () => {
    const work = memoryBlobs();
    const first = aChunk({ seen: [{ generation: 0, items: ["first"] }] });

    const [one, other] = await Promise.all([
      keepChunk(work, RUN, 0, first),
      keepChunk(work, RUN, 0, aChunk({ seen: [{ generation: 0, items: ["second"] }] })),
    ]);

    expect([one, other]).toEqual([first, first]);
    expect(await readChunk(work, RUN, 0)).toEqual(first);
  });

  test("ends where no chunk was added yet", async () => {
    const work = memoryBlobs();
    expect(await findChunk(work, RUN, 1)).toBeUndefined();
    await expect(readChunk(work, RUN, 1)).rejects.toThrow(`The scratch data has no ${RUN}/plan/c000001.json`);
  });
});

const findings = (overrides: Partial<Findings> = {}): Findings => ({
  finished: [],
  events: [],
  problems: [],
  ...overrides,
});

const removal = (id: string, folderId = "inbox") => ({ id, folderId, reason: "deleted" });
const removed = (id: string, folderId?: string) => ({ op: "removed" as const, ...removal(id, folderId) });

describe("foldFindings", () => {
  const reappeared = findings({ events: [{ op: "reappeared", id: "1", folderId: "inbox" }] });
  const gone = findings({ events: [removed("1")] });

  test("takes the last finding of a folder's link, and of an item that was removed and reappeared", () => {
    const link = (deltaLink: string) => [{ folderId: "inbox", deltaLink }];

    expect(
      foldFindings([
        findings({ events: [removed("1"), removed("1", "archive")], finished: link("old") }),
        findings({ events: [removed("2")] }),
        findings({ ...reappeared, finished: link("new") }),
      ]),
    ).toEqual({
      finished: new Set(["inbox"]),
      failed: new Set(),
      deltaLinks: new Map([["inbox", "new"]]),
      listed: new Set(),
      removed: [removal("1", "archive"), removal("2")],
      problems: [],
    });
  });

  test("returns an item that was removed again after it reappeared", () => {
    expect(foldFindings([gone, reappeared, gone]).removed).toEqual([removal("1")]);
  });

  test("returns a problem once, as it was found first", () => {
    const odd = { what: "the size is negative", itemId: "1", folderId: "inbox" };
    const first = findings({
      problems: [
        { ...odd, since: "2026-11-20T01:00:00Z" },
        { what: odd.what, itemId: "2" },
      ],
    });

    expect(foldFindings([first, findings({ problems: [odd] })]).problems).toEqual(first.problems);
  });

  test("keeps the order of events within one chunk", () => {
    const again = findings({ events: [removed("1"), { op: "reappeared", id: "1", folderId: "inbox" }, removed("1")] });

    expect(foldFindings([again]).removed).toEqual([removal("1")]);
  });

  test("returns the same for a stretch that two waves planned", () => {
    expect(foldFindings([gone, reappeared, gone, reappeared]).removed).toEqual([]);
  });
});

describe("the waves of a run", () => {
  const aWave = (word: string, overrides: Partial<WaveRecord> = {}): WaveRecord => ({
    parts: [{ name: partName(aKey, RUN, word), sha256: "0".repeat(64), bytes: 1, records: 1 }],
    findings: findings(),
    compared: [],
    result: {
      position: { nextChunk: 1, planned: true, at: { chunk: 1, batch: 0 }, again: [] },
      planned: 1,
      removed: 0,
      expectedItems: 1,
      exported: 1,
      skipped: 0,
      failed: 0,
      again: 0,
      bytes: 1,
      storedBytes: 1,
      elapsedMs: 1,
      throttled: 0,
      waitMs: 0,
    },
    ...overrides,
  });

  test("are those of the first deliveries, in the order of their numbers", async () => {
    const work = memoryBlobs();
    for (const wave of [1, 0]) await keepWave(work, RUN, wave, aWave(`w${wave}`));

    const rival = await keepWave(
      work,
      RUN,
      1,
      aWave("w1-rival", { findings: findings({ events: [{ op: "removed", ...removal("1") }] }) }),
    );

    const { parts, removed } = await readOutcome(work, RUN, 2);
    expect(rival).toEqual(aWave("w1"));
    expect(parts.map(({ name }) => name)).toEqual([partName(aKey, RUN, "w0"), partName(aKey, RUN, "w1")]);
    expect(removed).toEqual([]);
  });

  test("are all there, or none is taken for the whole", async () => {
    const work = memoryBlobs();
    for (const wave of [0, 2]) await keepWave(work, RUN, wave, aWave(`w${wave}`));

    await expect(readOutcome(work, RUN, 3)).rejects.toThrow(`The scratch data has no ${RUN}/waves/w000001.json`);
  });

  test("name no part where they exported nothing", async () => {
    const work = memoryBlobs();
    await keepWave(work, RUN, 0, aWave("w0", { parts: [] }));

    const nothing = {
      parts: [],
      finished: new Set(),
      failed: new Set(),
      deltaLinks: new Map(),
      listed: new Set(),
      removed: [],
      problems: [],
      compared: new Map(),
    };
    expect(await readOutcome(work, RUN, 1)).toEqual(nothing);
  });
});
