import { describe, expect, test } from "vitest";
import {
  InvalidBodyError,
  LargeBodyError,
  MAX_IDS,
  readTranslationRequest,
} from "../../../functions/id-translation/read-request.ts";

/** A body that arrives in pieces, and how much of it was taken. */
const aBody = (pieces: Iterable<string>) => {
  const taken = { pieces: 0 };
  const source = pieces[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const { done, value } = source.next();
        taken.pieces += 1;
        if (done) controller.close();
        else controller.enqueue(Buffer.from(value));
      },
      cancel: () => expect.fail("the connection would be cut before the answer"),
    },
    { highWaterMark: 0 },
  );
  return { body, taken };
};

function* manyIds(count: number): Generator<string> {
  yield '{"mailbox": "a", "from": "restId", "to": "ewsId", "ids": [';
  for (let n = 0; n < count; n += 1) yield `${n === 0 ? "" : ","}"AAAA"`;
  yield "]}";
}

const nothing = async (): Promise<void> => undefined;

describe("a request to translate ids", () => {
  test("hands on its ids in pieces of 1,000, in order, one at a time", async () => {
    const kept: [number, number][] = [];
    let atOnce = 0;
    const request = await readTranslationRequest(aBody(manyIds(2_500)).body, async (piece, ids) => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      await Promise.resolve();
      kept.push([piece, ids.length]);
      atOnce -= 1;
    });

    expect(kept).toEqual([
      [0, 1_000],
      [1, 1_000],
      [2, 500],
    ]);
    expect(request).toMatchObject({ mailbox: "a", from: "restId", to: "ewsId", count: 2_500, few: undefined });
  });

  test("holds what fits into one answer, and hands on nothing", async () => {
    const request = await readTranslationRequest(aBody(manyIds(1_000)).body, () => expect.fail("nothing is kept"));
    expect(request.few).toHaveLength(1_000);
  });

  test("has at most a million ids, and is read to its end before that is said", async () => {
    expect(MAX_IDS).toBe(1_000_000);
    const { body, taken } = aBody(manyIds(50));
    const read = readTranslationRequest(body, nothing, { ids: 20, bytes: 10_000 });

    await expect(read).rejects.toThrow(InvalidBodyError);
    await expect(read).rejects.toMatchObject({
      error: { issues: [{ path: ["ids"], message: expect.stringContaining("1 to 1000000 ids") }] },
    });
    expect(taken.pieces).toBeGreaterThan(50);
  });

  test("is read no further than its largest size", async () => {
    const { body, taken } = aBody(manyIds(50));

    await expect(readTranslationRequest(body, nothing, { ids: 1_000, bytes: 200 })).rejects.toThrow(LargeBodyError);
    expect(taken.pieces).toBeLessThan(30);
  });

  test("fails with what keeps its ids", async () => {
    const failing = (): Promise<void> => Promise.reject(new Error("The storage is full"));
    await expect(readTranslationRequest(aBody(manyIds(2_500)).body, failing)).rejects.toThrow("The storage is full");
  });
});
