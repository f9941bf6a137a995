import Long from "long";
import type { PSTFile } from "pst-extractor";
import type { PSTDescriptorItem } from "pst-extractor/dist/PSTDescriptorItem.class.js";
import { PSTNodeInputStream } from "pst-extractor/dist/PSTNodeInputStream.class.js";
import { PSTTable7C } from "pst-extractor/dist/PSTTable7C.class.js";
import { PSTTableBC } from "pst-extractor/dist/PSTTableBC.class.js";
import type { PSTTableItem } from "pst-extractor/dist/PSTTableItem.class.js";

/** Bytes that are read when asked for. */
export interface Content {
  readonly length: number;
  read(): Iterable<Uint8Array>;
}

/** One MAPI property, its value in the encoding of the file. */
export interface Property {
  /** The upper half of a MAPI property tag. */
  readonly id: number;
  /** The lower half. */
  readonly type: number;
  readonly value: Content;
  /** The subnode that holds the value, when it is too large for its node's heap. */
  readonly subnodeId?: number;
}

/** A node of the file: data, and subnodes. All below a message's node is the message. */
export interface PstNode {
  readonly id: number;
  readonly data: Content;
  /** By ascending id. */
  readonly subnodes: readonly PstNode[];
  /** Its properties by ascending id: one list, or one for each row of a table; none when the data is something else. */
  rows(): Property[][];
}

type Subnodes = ReadonlyMap<number, PSTDescriptorItem>;

/** Source: [MS-PST] 2.3.4.4.1 The Row Data Format. */
const ROW_ID = 0x67f2;
const ROWS_AT_ONCE = 1_000;
const CHUNK_BYTES = 64 * 1024;

/** Signatures of a heap, and of the two things it can hold. Source: [MS-PST] 2.3.1.2 HNHDR. */
const SIGNATURE = { heap: 0xec, properties: 0xbc, table: 0x7c };

/** Types whose value stands in the place of the reference to it. Source: [MS-PST] 2.3.3.3 PC BTH Record. */
const INLINE_TYPES = new Set([0x0001, 0x0002, 0x0003, 0x0004, 0x000a, 0x000b]);

/** The node with that id in the file's node tree. */
export const nodeOf = (file: PSTFile, id: number): PstNode => {
  const entry = file.getDescriptorIndexNode(Long.fromNumber(id));
  const open = () => file.readLeaf(entry.dataOffsetIndexIdentifier);
  return createNode(file, id, open, subnodesAt(file, entry.localDescriptorsOffsetIndexIdentifier));
};

/** The row ids of the table with that node id, in the table's order: of a folder's tables, the ids of what it lists. */
export const rowIdsOf = (file: PSTFile, tableId: number): number[] => {
  const entry = file.getDescriptorIndexNode(Long.fromNumber(tableId));
  const subnodes = subnodesAt(file, entry.localDescriptorsOffsetIndexIdentifier);
  const table = new PSTTable7C(file.readLeaf(entry.dataOffsetIndexIdentifier), new Map(subnodes), ROW_ID);
  const ids: number[] = [];
  for (let from = 0; from < table.rowCount; from += ROWS_AT_ONCE) {
    for (const row of table.getItems(from, ROWS_AT_ONCE)) ids.push(row.get(ROW_ID)?.entryValueReference ?? 0);
  }
  return ids;
};

const subnodeOf = (file: PSTFile, item: PSTDescriptorItem): PstNode => {
  const open = () => new PSTNodeInputStream(file, item);
  const subnodes = subnodesAt(file, Long.fromNumber(item.subNodeOffsetIndexIdentifier));
  return createNode(file, item.descriptorIdentifier, open, subnodes);
};

const subnodesAt = (file: PSTFile, block: Long): Subnodes =>
  block.isZero() ? new Map() : file.getPSTDescriptorItems(block);

const createNode = (file: PSTFile, id: number, open: () => PSTNodeInputStream, subnodes: Subnodes): PstNode => ({
  id,
  data: streamed(open),
  get subnodes() {
    return [...subnodes.values()].map((item) => subnodeOf(file, item)).sort((a, b) => a.id - b.id);
  },
  rows: () => itemsOf(open, subnodes).map((row) => row.map((item) => toProperty(file, item, subnodes)).sort(byId)),
});

/** A single row of properties, or a table's rows. */
const itemsOf = (open: () => PSTNodeInputStream, subnodes: Subnodes): PSTTableItem[][] => {
  const kind = signatureOf(open());
  if (kind === SIGNATURE.properties) return [[...propertiesOf(open()).values()]];
  if (kind === SIGNATURE.table) {
    const rows = new PSTTable7C(open(), new Map(subnodes)).getItems();
    return rows.map((row) => [...row.values()]);
  }
  return [];
};

const propertiesOf = (stream: PSTNodeInputStream): Map<number, PSTTableItem> => {
  const table = new PSTTableBC(stream);
  // The library takes the index of a node with very many properties for the properties.
  if (Reflect.get(table, "numberOfIndexLevels") !== 0) throw new Error("a node has more properties than can be read");
  return table.getItems();
};

const signatureOf = (stream: PSTNodeInputStream): number | undefined => {
  if (stream.length.lessThan(4)) return undefined;
  const start = Buffer.alloc(4);
  stream.readCompletely(start);
  return start[2] === SIGNATURE.heap ? start[3] : undefined;
};

const toProperty = (file: PSTFile, item: PSTTableItem, subnodes: Subnodes): Property => {
  const property = { id: item.entryType.toNumber(), type: item.entryValueType };
  const reference = item.entryValueReference;
  if (INLINE_TYPES.has(property.type)) return { ...property, value: inMemory(inlineValue(reference)) };
  if (!item.isExternalValueReference) return { ...property, value: inMemory(item.data) };

  const subnode = subnodes.get(reference);
  if (subnode === undefined) throw new Error(`property ${property.id.toString(16)} refers to missing data`);
  return { ...property, value: streamed(() => new PSTNodeInputStream(file, subnode)), subnodeId: reference };
};

const inlineValue = (reference: number): Buffer => {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(reference >>> 0);
  return value;
};

const inMemory = (bytes: Uint8Array): Content => ({ length: bytes.length, read: () => [bytes] });

const streamed = (open: () => PSTNodeInputStream): Content => ({
  get length() {
    return open().length.toNumber();
  },
  read: function* () {
    const stream = open();
    for (let left = stream.length.toNumber(); left > 0; left -= CHUNK_BYTES) {
      const chunk = Buffer.alloc(Math.min(left, CHUNK_BYTES));
      stream.readCompletely(chunk);
      yield chunk;
    }
  },
});

const byId = (a: Property, b: Property): number => a.id - b.id;
