import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrokenAnswerError, isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { elements, exportItems } from "../../../shared/graph/export-items.ts";
import type { GraphClient, GraphRequest } from "../../../shared/graph/graph-client.ts";
import { jsonReader } from "../../../shared/json/json-reader.ts";
import { collect } from "../../../shared/storage/blobs.ts";
import { inChunks } from "../vault/samples.ts";

interface Read {
  readonly itemId: string;
  readonly changeKey: string | undefined;
  readonly errorCode: string | undefined;
  readonly content: string | undefined;
}

const read = async (answer: string | Buffer, chunkBytes = 1_000): Promise<Read[]> => {
  const found: Read[] = [];
  for await (const element of elements(jsonReader(inChunks(Buffer.from(answer), chunkBytes)))) {
    const content = element.content && (await collect(element.content)).toString("base64");
    found.push({ ...(await element.outcome()), content });
  }
  return found;
};

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const aField = fc.constantFrom<[string, unknown]>(
  ["@odata.type", "#microsoft.graph.exportItemResponse"],
  ["extra", { data: "not this", nested: ['"', { itemId: 1 }] }],
  ["unknown", null],
);

/** An element of an answer with its fields in any order, and the expected result. */
const anElement = fc
  .record({
    itemId: fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
    changeKey: fc.option(fc.string({ maxLength: 8 }), { nil: undefined }),
    data: fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(null, undefined)),
    error: fc.option(
      fc.record({ name: fc.constantFrom("error", "Error"), code: fc.constantFrom("ErrorItemNotFound", "", null) }),
      { nil: undefined },
    ),
    more: fc.uniqueArray(aField, { selector: ([name]) => name }),
  })
  .chain(({ itemId, changeKey, data, error, more }) => {
    const fields: [string, unknown][] = [["itemId", itemId], ...more];
    if (changeKey !== undefined) fields.push(["changeKey", changeKey]);
    if (data !== undefined) fields.push(["data", data && Buffer.from(data).toString("base64")]);
    if (error !== undefined) fields.push([error.name, { code: error.code, message: "the subject of the item" }]);
    const expected: Read = {
      itemId,
      changeKey,
      errorCode: error && (error.code || "unnamed"),
      content: data ? Buffer.from(data).toString("base64") : undefined,
    };
    return fc
      .shuffledSubarray(fields, { minLength: fields.length })
      .map((shuffled) => ({ json: Object.fromEntries(shuffled), expected }));
  });

const ANSWER = JSON.stringify({
  "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(exportItemResponse)",
  value: [
    { itemId: "é1", changeKey: "k1", data: base64("one") },
    { data: base64("two two"), itemId: "2" },
    { itemId: "3", Error: { code: "ErrorItemNotFound", message: "gone" } },
  ],
  more: [1, { value: [] }],
});

const ELEMENTS: Read[] = [
  { itemId: "é1", changeKey: "k1", errorCode: undefined, content: base64("one") },
  { itemId: "2", changeKey: undefined, errorCode: undefined, content: base64("two two") },
  { itemId: "3", changeKey: undefined, errorCode: "ErrorItemNotFound", content: undefined },
];

describe("elements", () => {
  test("are read with their fields in any order, and with unknown fields", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anElement, { maxLength: 4 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 80 }),
        async (many, valueFirst, chunkBytes) => {
          const value = { value: many.map(({ json }) => json) };
          const answer = valueFirst ? { ...value, extra: [{}] } : { extra: { value: 1 }, ...value };
          expect(await read(JSON.stringify(answer), chunkBytes)).toEqual(many.map(({ expected }) => expected));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("are the same wherever the answer is split", async () => {
    const bytes = Buffer.from(ANSWER);
    const splitAt = async function* (at: number) {
      yield bytes.subarray(0, at);
      yield bytes.subarray(at);
    };
    for (let at = 0; at <= bytes.length; at += 1) {
      const found: Read[] = [];
      for await (const element of elements(jsonReader(splitAt(at)))) {
        const content = element.content && (await collect(element.content)).toString("base64");
        found.push({ ...(await element.outcome()), content });
      }
      expect(found).toEqual(ELEMENTS);
    }
  });

  test("of an answer that is cut off anywhere throw a broken answer", async () => {
    const bytes = Buffer.from(ANSWER);
    for (let end = 0; end < bytes.length; end += 1) {
      const failure = await read(bytes.subarray(0, end), 11).catch((error: unknown) => error);
      expect(isBrokenAnswer(failure), `cut off at ${end}`).toBe(true);
    }
  });

  test("have an item's id before the content is read when it comes first", async () => {
    const known: (string | undefined)[] = [];
    for await (const element of elements(jsonReader(inChunks(Buffer.from(ANSWER))))) {
      known.push(element.itemId);
      if (element.content) await collect(element.content);
    }
    expect(known).toEqual(["é1", undefined, "3"]);
  });

  test("have content with escapes, and content of no bytes", async () => {
    const escaped = base64("\xff\xfe?>").replaceAll("/", "\\/").replaceAll("+", "\\u002b");
    expect(await read(`{"value":[{"itemId":"1","data":"${escaped}"},{"itemId":"2","data":""}]}`, 3)).toMatchObject([
      { content: base64("\xff\xfe?>") },
      { content: "" },
    ]);
  });

  test("are returned twice when Graph doubles them", async () => {
    const one = { itemId: "1", data: base64("x") };
    expect(await read(JSON.stringify({ value: [one, one] }))).toHaveLength(2);
  });

  test.each(["{}", '{"value":[]}', '{"@odata.context":"x"}'])("are none in %s", async (answer) => {
    expect(await read(answer)).toEqual([]);
  });

  test.each([
    ["no JSON", "<html>"],
    ["a list", "[]"],
    ["no list of elements", '{"value":{}}'],
    ["data that is not base64", '{"value":[{"itemId":"1","data":"QUJ*"}]}'],
    ["data that is cut off", '{"value":[{"itemId":"1","data":"QUJ"}]}'],
    ["data twice", '{"value":[{"itemId":"1","data":"QUJD","data":"QUJD"}]}'],
    ["an element without an item", '{"value":[{"data":"QUJD"}]}'],
    ["an empty element", '{"value":[{}]}'],
    ["an id that is a number", '{"value":[{"itemId":7}]}'],
    ["an error that is a word", '{"value":[{"itemId":"1","error":"s3cret"}]}'],
    ["a field without a value", '{"value":[{"itemId":,"data":""}]}'],
    ["a word that is none", '{"value":[{"itemId":nil}]}'],
  ])("of an answer with %s are refused as broken", async (_, answer) => {
    const failure = await read(answer).catch((error: unknown) => error);
    expect(isBrokenAnswer(failure)).toBe(true);
    expect(String(failure)).not.toContain("s3cret");
  });
});

describe("exportItems", () => {
  const asked: GraphRequest[] = [];
  const answering = (body: AsyncIterable<Uint8Array>): GraphClient => ({
    endpoint: "https://graph.microsoft.com",
    endingAt: () => answering(body),
    json: () => Promise.reject(new Error("not asked for")),
    answer: () => Promise.reject(new Error("not asked for")),
    stream: async (request) => {
      asked.push(request);
      return body;
    },
  });
  const drain = async (graph: GraphClient, ids: readonly string[] = ["1"]): Promise<void> => {
    for await (const { content } of exportItems(graph, { id: "MBX:a@b", kind: "primary" }, ids))
      if (content) await collect(content);
  };

  test("posts the ids to the mailbox", async () => {
    await drain(answering(inChunks(Buffer.from(ANSWER))), ["1", "2"]);
    expect(asked.at(-1)).toMatchObject({
      method: "POST",
      target: "/v1.0/admin/exchange/mailboxes/MBX%3Aa%40b/exportItems",
      body: { itemIds: ["1", "2"] },
    });
  });

  test.each([0, 21])("does not ask for %i items", async (count) => {
    const ids = Array.from({ length: count }, (_, index) => String(index));
    await expect(drain(answering(inChunks(Buffer.from(ANSWER))), ids)).rejects.toThrow(/takes 1 to 20 ids/);
  });

  test("throws a broken answer, with its cause, when the connection breaks", async () => {
    const cause = new Error("socket hang up");
    const breaking = async function* () {
      yield Buffer.from(ANSWER.slice(0, 130));
      throw cause;
    };
    const failure = await drain(answering(breaking())).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BrokenAnswerError);
    expect(failure).toMatchObject({ cause });
  });

  test("closes the connection when the caller stops early", async () => {
    const body = Readable.from(inChunks(Buffer.from(ANSWER)));
    for await (const _ of exportItems(answering(body), { id: "MBX:a@b", kind: "primary" }, ["1"])) break;
    expect(body.destroyed).toBe(true);
  });
});
