import { describe, expect, test } from "vitest";
import { payloadOf } from "../../../../local/graph/pst/payload.ts";
import { aNode, anInteger, aProperty } from "./a-node.ts";

const hexOf = (node: Parameters<typeof payloadOf>[0]) => Buffer.concat([...payloadOf(node).read()]).toString("hex");

describe("payloadOf", () => {
  test("writes each property with its id, type, length and value", () => {
    const node = aNode({ id: 0x21, rows: [[anInteger(0x0e07, 5), aProperty(0x300b, 0x102, Buffer.from("ab"))]] });

    expect(hexOf(node)).toBe(
      ["4e21000000", "5202000000", "50070e0300", "0400000005000000", "500b300201", "020000006162"].join(""),
    );
  });

  test("follows subnodes of every form, but writes a property's own subnode once", () => {
    const inProperty = aNode({ id: 7, data: Buffer.from("large") });
    const recipients = aNode({ id: 8, rows: [[anInteger(1, 1)], [anInteger(1, 2)]] });
    const attachment = aNode({ id: 9, subnodes: [aNode({ id: 10, data: Buffer.from("deep") })] });
    const rows = [[aProperty(0x1000, 0x1f, Buffer.from("large"), 7)]];
    const hex = hexOf(aNode({ rows, subnodes: [inProperty, recipients, attachment] }));

    expect(hex.split(Buffer.from("large").toString("hex"))).toHaveLength(2);
    expect(hex).toContain(`4e0a000000420400000${Buffer.from("\u0000deep").toString("hex").slice(1)}`);
    expect(hex.match(/5201000000500100030004000000/g)).toHaveLength(2);
  });

  test("knows its length without being read", () => {
    const node = aNode({ rows: [[anInteger(1, 1)]], subnodes: [aNode({ id: 2, data: Buffer.alloc(1000) })] });

    expect(payloadOf(node).length).toBe(hexOf(node).length / 2);
  });
});
