import { describe, expect, test } from "vitest";
import {
  InvalidBodyError,
  LargeBodyError,
  MAX_IDS,
  readTranslationRequest,
} from "../../../functions/id-translation/read-request.ts";

/** A body that arrives in pieces, and the number of pieces that were read. */
const aBody = (pieces: Iterable<string>) => {
  const read = { pieces: 0 };
  const source = pieces[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const { done, value } = source.next();
        read.pieces += 1;
        if (done) controller.close();
        else controller.enqueue(Buffer.from(value));
      },
      cancel: () => expect.fail("the connection would be cut before the answer"),
    },
    { highWaterMark: 0 },
  );
  return { body, read };
};

function* manyIds(count: number): Generator<string> {
  yield '{"mailbox": "a", "from": "restId", "to": "ewsId", "ids": [';
  for (let n = 0; n < count; n += 1) yield `${n === 0 ? "" : ","}"AAAA"`;
  yield "]}";
}

const nothing = async (): Promise<void> => undefined;

describe("a request to translate ids", () => {
  test("keeps its ids in pieces of 1,000, in order, one at a time", async () => {
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
    expect(request).toMatchObject({ mailbox: "a", from: "restId", to: "ewsId", count: 2_500, ids: undefined });
  });

  test("holds ids that fit one answer, and keeps no pieces", async () => {
    const request = await readTranslationRequest(aBody(manyIds(1_000)).body, () => expect.fail("nothing is kept"));
    expect(request.ids).toHaveLength(1_000);
  });

  test("has at most a million ids, and is read to its end before it is refused", async () => {
    expect(MAX_IDS).toBe(1_000_000);
    const { body, read } = aBody(manyIds(50));
    const request = readTranslationRequest(body, nothing, { ids: 20, bytes: 10_000 });

    await expect(request).rejects.toThrow(InvalidBodyError);
    await expect(request).rejects.toMatchObject({
      error: { issues: [{ path: ["ids"], message: expect.stringContaining("1 to 1000000 ids") }] },
    });
    expect(read.pieces).toBeGreaterThan(50);
  });

  test("is not read beyond the size limit", async () => {
    const { body, read } = aBody(manyIds(50));

    await expect(readTranslationRequest(body, nothing, { ids: 1_000, bytes: 200 })).rejects.toThrow(LargeBodyError);
    expect(read.pieces).toBeLessThan(30);
  });

  test("fails when its ids cannot be kept", async () => {
    const failing = (): Promise<void> => Promise.reject(new Error("The storage is full"));
    await expect(readTranslationRequest(aBody(manyIds(2_500)).body, failing)).rejects.toThrow("The storage is full");
  });
});
