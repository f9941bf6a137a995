import { describe, expect, test } from "vitest";
import { ITEM_EXPAND, readEnrichment } from "../../../shared/graph/extended-properties.ts";

describe("readEnrichment", () => {
  test("reads properties by their tag, in any spelling", () => {
    expect(
      readEnrichment([
        { id: "String 0x37", value: "Budget" },
        { id: "SystemTime 0xe06", value: "2026-11-20T08:00:00Z" },
        { id: "String 0x5d01", value: "ada@contoso.example" },
        { id: "Boolean 0x0E1B", value: "True" },
        { id: "Binary 0x300b", value: "AAEC" },
        { id: "String 0x1035", value: "<1@contoso.example>" },
      ]),
    ).toEqual({
      subject: "Budget",
      received: "2026-11-20T08:00:00.000Z",
      from: "ada@contoso.example",
      hasAttachments: true,
      searchKey: "AAEC",
      internetMessageId: "<1@contoso.example>",
    });
  });

  test("falls back to the sender's name", () => {
    expect(readEnrichment([{ id: "String 0xc1a", value: "Ada Berg" }])).toEqual({ from: "Ada Berg" });
  });

  test("leaves out properties that are missing, null or unknown, and times that do not parse", () => {
    expect(
      readEnrichment([
        { id: "String 0x37", value: null },
        { id: "String 0x1035" },
        { id: "SystemTime 0xe06", value: "once" },
        { id: "String 0x9999", value: "x" },
        { id: "", value: "x" },
      ]),
    ).toEqual({});
  });

  test("reads false as false", () => {
    expect(readEnrichment([{ id: "Boolean 0xe1b", value: "false" }])).toEqual({ hasAttachments: false });
  });
});

test("the $expand of a listing names every property that is read", () => {
  for (const tag of ["0x0037", "0x0E06", "0x0C1A", "0x5D01", "0x0E1B", "0x300B", "0x1035"]) {
    expect(ITEM_EXPAND).toContain(`${tag}'`);
  }
});
