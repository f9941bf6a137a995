import type { Content, Property, PstNode } from "./node.ts";

/** What each piece of a payload begins with. */
const MARK = { node: 0x4e, row: 0x52, property: 0x50, raw: 0x42 };

/**
 * The whole of a message as one sequence of bytes: its node, then its subnodes (recipients, attachments, messages in
 * attachments) depth first. A node is `N` and its id; its properties are `P`, id, type, length and value, a table's
 * rows start with `R` and the number of properties, data of any other form is `B`, length and bytes. Numbers are
 * little-endian: ids of properties and types 2 bytes, all else 4.
 */
export const payloadOf = (node: PstNode): Content => ({
  get length() {
    let length = 0;
    for (const piece of piecesOf(node)) length += piece.length;
    return length;
  },
  read: function* () {
    for (const piece of piecesOf(node)) yield* piece.read();
  },
});

function* piecesOf(node: PstNode): Generator<Content> {
  const rows = node.rows();
  yield header(MARK.node, [], [node.id]);
  if (rows.length === 0 && node.data.length > 0) {
    yield header(MARK.raw, [], [node.data.length]);
    yield node.data;
  }
  for (const row of rows) {
    yield header(MARK.row, [], [row.length]);
    for (const property of row) yield* propertyPieces(property);
  }
  const told = new Set(rows.flat().map(({ subnodeId }) => subnodeId));
  for (const subnode of node.subnodes) {
    if (!told.has(subnode.id)) yield* piecesOf(subnode);
  }
}

function* propertyPieces({ id, type, value }: Property): Generator<Content> {
  yield header(MARK.property, [id, type], [value.length]);
  yield value;
}

const header = (mark: number, shorts: readonly number[], longs: readonly number[]): Content => {
  const bytes = Buffer.alloc(1 + shorts.length * 2 + longs.length * 4);
  let at = bytes.writeUInt8(mark);
  for (const short of shorts) at = bytes.writeUInt16LE(short, at);
  for (const long of longs) at = bytes.writeUInt32LE(long, at);
  return { length: bytes.length, read: () => [bytes] };
};
