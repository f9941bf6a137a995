import type { Content, Property, PstNode } from "../../../../local/graph/pst/node.ts";

const content = (bytes: Uint8Array): Content => ({ length: bytes.length, read: () => [bytes] });

export const aProperty = (id: number, type: number, value: Uint8Array, subnodeId?: number): Property => ({
  id,
  type,
  value: content(value),
  ...(subnodeId === undefined ? {} : { subnodeId }),
});

export const aText = (id: number, text: string): Property => aProperty(id, 0x1f, Buffer.from(text, "utf16le"));

export const anInteger = (id: number, value: number): Property => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return aProperty(id, 0x03, bytes);
};

/** `iso` as a FILETIME. */
export const aTime = (id: number, iso: string): Property => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE((BigInt(Date.parse(iso)) + 11_644_473_600_000n) * 10_000n);
  return aProperty(id, 0x40, bytes);
};

export const texts = (id: number, values: readonly string[]): Property => {
  const encoded = values.map((value) => Buffer.from(value, "utf16le"));
  const header = Buffer.alloc(4 + 4 * values.length);
  header.writeUInt32LE(values.length);
  let offset = header.length;
  for (const [index, bytes] of encoded.entries()) {
    header.writeUInt32LE(offset, 4 + 4 * index);
    offset += bytes.length;
  }
  return aProperty(id, 0x101f, Buffer.concat([header, ...encoded]));
};

/** A node of a message as the file's reader would give it. */
export const aNode = (overrides: {
  id?: number;
  rows?: Property[][];
  subnodes?: PstNode[];
  data?: Uint8Array;
}): PstNode => ({
  id: overrides.id ?? 1,
  data: content(overrides.data ?? new Uint8Array()),
  subnodes: overrides.subnodes ?? [],
  rows: () => overrides.rows ?? [],
});
