import { describe, expect, test } from "vitest";
import { readItem } from "../../../../local/graph/pst/item.ts";
import type { Property } from "../../../../local/graph/pst/node.ts";
import { payloadOf } from "../../../../local/graph/pst/payload.ts";
import { aNode, anInteger, aProperty, aText, aTime, texts } from "./a-node.ts";

const KEYWORDS = 0x8001;

const itemOf = (...properties: Property[]) => {
  const node = aNode({ rows: [properties] });
  return readItem(node, payloadOf(node), KEYWORDS);
};

describe("readItem", () => {
  test("reads what a listing shows of a message", () => {
    const item = itemOf(
      aText(0x001a, "IPM.Note"),
      aText(0x0037, "Quarterly report"),
      aTime(0x0e06, "2026-03-01T10:00:00.125Z"),
      anInteger(0x0e1b, 1),
      aText(0x0c1f, "/o=org/cn=a"),
      aText(0x1035, "<1@contoso.example>"),
      aTime(0x3007, "2026-03-01T09:59:00.000Z"),
      aTime(0x3008, "2026-03-02T00:00:00.000Z"),
      aProperty(0x300b, 0x102, Buffer.alloc(16, 0xab)),
      aText(0x5d01, "a@contoso.example"),
      texts(KEYWORDS, ["Blue", "Für später"]),
    );

    expect(item).toMatchObject({
      type: "IPM.Note",
      subject: "Quarterly report",
      from: "a@contoso.example",
      received: "2026-03-01T10:00:00.125Z",
      internetMessageId: "<1@contoso.example>",
      hasAttachments: true,
      searchKey: "ab".repeat(16),
      categories: ["Blue", "Für später"],
      created: "2026-03-01T09:59:00.000Z",
      modified: "2026-03-02T00:00:00.000Z",
    });
  });

  test("leaves out what is not there", () => {
    expect(Object.keys(itemOf(aText(0x0037, "")))).toEqual([
      "type",
      "hasAttachments",
      "searchKey",
      "categories",
      "created",
      "modified",
      "payloadBytes",
      "payload",
    ]);
  });

  test("strips the prefix mark of a subject", () => {
    expect(itemOf(aText(0x0037, "\u0001\u0005RE: Hello")).subject).toBe("RE: Hello");
  });

  test("finds attachments in the message flags as well", () => {
    expect(itemOf(anInteger(0x0e07, 0x11)).hasAttachments).toBe(true);
    expect(itemOf(anInteger(0x0e07, 0x01)).hasAttachments).toBe(false);
  });

  test("makes a search key of its content when there is none, the same for the same content", () => {
    const key = itemOf(aText(0x0037, "a")).searchKey;

    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(itemOf(aText(0x0037, "a")).searchKey).toBe(key);
    expect(itemOf(aText(0x0037, "b")).searchKey).not.toBe(key);
  });
});
