import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromBinaryForm,
  guessFormat,
  isShaped,
  shapeOf,
  toBinaryForm,
  toEwsId,
  toRestId,
} from "../../../functions/id-translation/exchange-ids.ts";

const bytes = fc.uint8Array({ minLength: 1, maxLength: 90 }).map((array) => Buffer.from(array));

/** A message's entry id: flags that are 0, then any bytes. */
const aMessageEntry = (rest = 0xfb): Buffer => Buffer.concat([Buffer.alloc(4), Buffer.alloc(66, rest)]);

describe("the binary form of an entry id", () => {
  test.each([
    ["fb", "-w2"],
    ["fbff", "-_81"],
    ["fbffbf", "-_-_0"],
  ])("is URL-safe base64 of %s, with its padding as a digit at the end: %s", (hex, id) => {
    expect(toBinaryForm(Buffer.from(hex, "hex"))).toBe(id);
    expect(fromBinaryForm(id)?.toString("hex")).toBe(hex);
  });

  test("decodes to the bytes that were encoded", () => {
    fc.assert(
      fc.property(bytes, (entry) => {
        expect(fromBinaryForm(toBinaryForm(entry))).toEqual(entry);
      }),
    );
  });

  test.each(["", "0", "-w==", "-w", "-w0", "-w1", "+w2", "/w2", "-x2", "-w3", "-w 2", "AAAA"])("is not %j", (text) => {
    expect(fromBinaryForm(text)).toBeUndefined();
  });
});

describe("REST and EWS ids", () => {
  test("differ in two characters, and not in those of the binary form", () => {
    expect(toRestId("a/b+c==")).toBe("a-b_c==");
    expect(toEwsId("a-b_c==")).toBe("a/b+c==");
    expect(toBinaryForm(Buffer.from("a/b+", "base64"))).toBe("a_b-0");
  });

  test("are translated into each other and back", () => {
    fc.assert(
      fc.property(bytes, (id) => {
        const ewsId = id.toString("base64");
        expect(toEwsId(toRestId(ewsId))).toBe(ewsId);
        expect(toRestId(toRestId(ewsId))).toBe(toRestId(ewsId));
      }),
    );
  });
});

describe("a text that cannot be an id of its format", () => {
  test("is never an id that encodes bytes", () => {
    fc.assert(
      fc.property(bytes, (entry) => {
        const ewsId = entry.toString("base64");
        expect(isShaped("binary", toBinaryForm(entry))).toBe(true);
        expect(isShaped("ews", ewsId)).toBe(true);
        expect(isShaped("rest", toRestId(ewsId))).toBe(true);
      }),
    );
  });

  test.each([
    ["entryId", "AAAA+w==", "plain base64"],
    ["immutableEntryId", "AAAA-w", "without the digit"],
    ["ewsId", "AAAA-w==", "a REST id"],
    ["ewsId", "AAAA/w", "without its padding"],
    ["restId", "AAAA/w==", "an EWS id"],
    ["restId", "AAAA-w2", "an entry id"],
    ["restImmutableEntryId", "AAAA=w==", "with an = inside"],
    ["restId", "ada.berg@contoso.example", "an address"],
  ] as const)("is, for %s, %s: %s", (format, id, _) => {
    expect(isShaped(shapeOf(format), id)).toBe(false);
  });
});

describe("the format that a shape shows", () => {
  test("is an entry id for the length and beginning of a message's entry id", () => {
    expect(guessFormat(toBinaryForm(aMessageEntry()))).toBe("entryId");
  });

  test.each([
    ["another length", aMessageEntry().subarray(0, 46)],
    ["another beginning", Buffer.alloc(70, 1)],
  ])("is unclear for a binary form of %s", (_, entry) => {
    expect(guessFormat(toBinaryForm(entry))).toBeUndefined();
  });

  test.each(["AAMkAD/x+y==", "AAMkAD-x_y==", "AAMkAD-x", "AAMk", "anything else"])("is REST or EWS for %s", (id) => {
    expect(guessFormat(id)).toBe("restId");
  });

  test("is never that of an entry id for a REST or EWS id", () => {
    fc.assert(
      fc.property(bytes, (id) => {
        expect(guessFormat(id.toString("base64"))).toBe("restId");
        expect(guessFormat(toRestId(id.toString("base64")))).toBe("restId");
      }),
    );
  });
});
