import type { Property, PstNode } from "./node.ts";

/** Property types. Source: [MS-OXCDATA] 2.11.1. */
const TYPE = { string8: 0x001e, manyStrings: 0x101f };

const FILETIME_PER_MS = 10_000n;
/** Milliseconds from 1601, where FILETIME begins, to 1970. */
const EPOCH_MS = 11_644_473_600_000n;

/** The properties of a folder, message or store, read as values. */
export interface Values {
  bytes(id: number): Buffer | undefined;
  /** Empty strings count as absent. */
  text(id: number): string | undefined;
  texts(id: number): string[];
  integer(id: number): number | undefined;
  /** ISO 8601 UTC. */
  time(id: number): string | undefined;
}

export const valuesOf = (node: PstNode): Values => {
  const properties = new Map(
    node
      .rows()
      .flat()
      .map((property) => [property.id, property]),
  );
  const bytes = (id: number): Buffer | undefined => {
    const property = properties.get(id);
    return property && wholeOf(property);
  };
  return {
    bytes,
    text: (id) => {
      const encoding = properties.get(id)?.type === TYPE.string8 ? "windows-1252" : "utf-16le";
      const text = new TextDecoder(encoding).decode(bytes(id)).replaceAll("\0", "");
      return text === "" ? undefined : text;
    },
    texts: (id) => {
      const value = bytes(id);
      return value && properties.get(id)?.type === TYPE.manyStrings ? splitTexts(value) : [];
    },
    integer: (id) => bytes(id)?.readUInt32LE(),
    time: (id) => {
      const value = bytes(id);
      return value?.length === 8 ? isoOf(value.readBigUInt64LE()) : undefined;
    },
  };
};

const wholeOf = ({ value }: Property): Buffer => Buffer.concat([...value.read()]);

/** A count, that many offsets, and the strings without terminators. Source: [MS-PST] 2.3.3.4.2. */
const splitTexts = (value: Buffer): string[] => {
  const count = value.readUInt32LE(0);
  const offsets = Array.from({ length: count }, (_, index) => value.readUInt32LE(4 + index * 4));
  return offsets.map((start, index) => value.toString("utf16le", start, offsets[index + 1]).replaceAll("\0", ""));
};

const isoOf = (fileTime: bigint): string => new Date(Number(fileTime / FILETIME_PER_MS - EPOCH_MS)).toISOString();
