import { describe, expect, test } from "vitest";
import {
  type Chunk,
  findChunk,
  keepChunk,
  keepFindings,
  keepRun,
  type RunState,
  readChunk,
  readFindings,
  readRun,
} from "../../../shared/work/run-state.ts";
import { memoryBlobs } from "../vault/memory-blobs.ts";

const RUN = "20261122T010000Z-abc234";

const aRun = (overrides: Partial<RunState> = {}): RunState => ({
  started: "2026-11-22T01:00:00Z",
  parent: null,
  folders: [],
  ...overrides,
});

const aChunk = (overrides: Partial<Chunk> = {}): Chunk => ({
  finished: [],
  departed: [],
  returned: [],
  batches: [],
  confirmed: [],
  ...overrides,
});

describe("a run's state", () => {
  test("is what its first delivery kept", async () => {
    const work = memoryBlobs();
    const first = aRun();

    expect(await keepRun(work, RUN, first)).toEqual(first);
    expect(await keepRun(work, RUN, aRun({ started: "2026-11-22T02:00:00Z" }))).toEqual(first);
    expect(await readRun(work, RUN)).toEqual(first);
  });

  test("of a run that was never opened is an error that names it", async () => {
    await expect(readRun(memoryBlobs(), RUN)).rejects.toThrow(`Run ${RUN} has no scratch data`);
  });

  test("is not kept when it could not be read again", async () => {
    const work = memoryBlobs();
    await expect(keepRun(work, RUN, aRun({ started: "yesterday" }))).rejects.toThrow(/started/);
    expect(work.writes).toEqual([]);
  });
});

describe("the chain of chunks", () => {
  test("is decided by whoever adds a chunk first", async () => {
    const work = memoryBlobs();
    const first = aChunk({ confirmed: ["first"] });

    const [one, other] = await Promise.all([
      keepChunk(work, RUN, 0, first),
      keepChunk(work, RUN, 0, aChunk({ confirmed: ["second"] })),
    ]);

    expect([one, other]).toEqual([first, first]);
    expect(await readChunk(work, RUN, 0)).toEqual(first);
  });

  test("ends where nobody added one yet", async () => {
    const work = memoryBlobs();
    expect(await findChunk(work, RUN, 1)).toBeUndefined();
    await expect(readChunk(work, RUN, 1)).rejects.toThrow(`Run ${RUN} has no chunk 1`);
  });
});

describe("the findings of a run", () => {
  const departure = (id: string, folderId = "inbox") => ({ id, folderId, reason: "deleted" });

  test("fold in the order of the chain, whatever the order of writing", async () => {
    const work = memoryBlobs();
    const link = (deltaLink: string) => [{ folderId: "inbox", deltaLink }];
    await keepFindings(work, RUN, { from: 10, to: 12 }, [
      aChunk({ returned: [{ id: "1", folderId: "inbox" }], finished: link("new") }),
    ]);
    await keepFindings(work, RUN, { from: 2, to: 10 }, [
      aChunk({ departed: [departure("1"), departure("1", "archive")], finished: link("old") }),
      aChunk({ departed: [departure("2")] }),
    ]);

    const { deltaLinks, departed } = await readFindings(work, RUN);

    expect(deltaLinks).toEqual(new Map([["inbox", "new"]]));
    expect(departed).toEqual([departure("1", "archive"), departure("2")]);
  });

  test("hold an item that left again after it came back", async () => {
    const work = memoryBlobs();
    const back = [{ id: "1", folderId: "inbox" }];
    await keepFindings(work, RUN, { from: 0, to: 1 }, [aChunk({ departed: [departure("1")] })]);
    await keepFindings(work, RUN, { from: 1, to: 2 }, [aChunk({ returned: back })]);
    await keepFindings(work, RUN, { from: 2, to: 3 }, [aChunk({ departed: [departure("1")] })]);

    expect((await readFindings(work, RUN)).departed).toEqual([departure("1")]);
  });

  test("are the same after a second delivery", async () => {
    const work = memoryBlobs();
    const stretch = { from: 0, to: 1 };
    await keepFindings(work, RUN, stretch, [aChunk({ departed: [departure("1")] })]);
    await keepFindings(work, RUN, stretch, [aChunk({ departed: [departure("2")] })]);

    expect((await readFindings(work, RUN)).departed).toEqual([departure("1")]);
  });

  test("of a run that found nothing are empty", async () => {
    expect(await readFindings(memoryBlobs(), RUN)).toEqual({ deltaLinks: new Map(), departed: [] });
  });
});
