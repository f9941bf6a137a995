import type { PSTFile } from "pst-extractor";
import { nodeOf } from "./node.ts";
import { valuesOf } from "./values.ts";

/** Source: [MS-PST] 2.4.7 Named Property Lookup Map. */
const MAP_NODE = 0x61;
const PID = { entries: 3, strings: 4 };
const ENTRY_BYTES = 8;
const FIRST_NAMED_ID = 0x8000;

/**
 * The property id that this file gives to a name such as `Keywords`; undefined when nothing in it has such a
 * property. The library keeps one map for all open files, so a second file would spoil the answers of the first.
 */
export const namedPropertyId = (file: PSTFile, name: string): number | undefined => {
  const map = valuesOf(nodeOf(file, MAP_NODE));
  const entries = map.bytes(PID.entries) ?? Buffer.alloc(0);
  const strings = map.bytes(PID.strings) ?? Buffer.alloc(0);
  for (let at = 0; at + ENTRY_BYTES <= entries.length; at += ENTRY_BYTES) {
    const hasStringName = (entries.readUInt16LE(at + 4) & 1) === 1;
    if (hasStringName && stringAt(strings, entries.readUInt32LE(at)) === name) {
      return FIRST_NAMED_ID + entries.readUInt16LE(at + 6);
    }
  }
  return undefined;
};

const stringAt = (strings: Buffer, offset: number): string =>
  strings.toString("utf16le", offset + 4, offset + 4 + strings.readUInt32LE(offset));
