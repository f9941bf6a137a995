import type { ZipMethod } from "./zip-format.ts";

/** Where the data of an entry lies. */
export interface EntryData {
  name: string;
  method: ZipMethod;
  offset: number;
  storedBytes: number;
  crc32: number;
}

/** Reads `length` bytes at `offset` of the file; fewer only where the file ends. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

const END_BYTES = 22;
const LOCATOR_64_BYTES = 20;
const END_64_BYTES = 56;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_32 = 0xffffffff;

/**
 * The last entry of a ZIP file that ends with its end record, as packs do. Throws a RangeError on a file that is not
 * one, or is cut off.
 */
export async function lastEntry(fileBytes: number, read: ReadAt): Promise<EntryData> {
  const { offset, length } = await centralDirectory(fileBytes, read);
  const central = await read(offset, length);
  let last: Buffer | undefined;
  for (let at = 0; at < central.length; at += headerBytes(central.subarray(at))) last = central.subarray(at);
  if (last === undefined) throw new RangeError("the ZIP file is empty");

  const nameBytes = last.readUInt16LE(28);
  const headerOffset = headerOffsetOf(last, nameBytes);
  const local = await read(headerOffset, LOCAL_BYTES);
  expectSignature(local, "PK\u0003\u0004");
  return {
    name: last.toString("ascii", CENTRAL_BYTES, CENTRAL_BYTES + nameBytes),
    method: last.readUInt16LE(10) === 0 ? "store" : "deflate",
    offset: headerOffset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28),
    storedBytes: last.readUInt32LE(20),
    crc32: last.readUInt32LE(16),
  };
}

async function centralDirectory(fileBytes: number, read: ReadAt): Promise<{ offset: number; length: number }> {
  const end = await read(fileBytes - END_BYTES, END_BYTES);
  expectSignature(end, "PK\u0005\u0006");
  const [count, length, offset] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  if (count < 0xffff && length < MAX_32 && offset < MAX_32) return { offset, length };

  const locator = await read(fileBytes - END_BYTES - LOCATOR_64_BYTES, LOCATOR_64_BYTES);
  expectSignature(locator, "PK\u0006\u0007");
  const end64 = await read(Number(locator.readBigUInt64LE(8)), END_64_BYTES);
  expectSignature(end64, "PK\u0006\u0006");
  return { length: Number(end64.readBigUInt64LE(40)), offset: Number(end64.readBigUInt64LE(48)) };
}

function headerBytes(header: Buffer): number {
  expectSignature(header, "PK\u0001\u0002");
  return CENTRAL_BYTES + header.readUInt16LE(28) + header.readUInt16LE(30) + header.readUInt16LE(32);
}

/** The index is never so long that its sizes need ZIP64, so the extra field holds at most the header's offset. */
function headerOffsetOf(header: Buffer, nameBytes: number): number {
  const offset = header.readUInt32LE(42);
  return offset < MAX_32 ? offset : Number(header.readBigUInt64LE(CENTRAL_BYTES + nameBytes + 4));
}

function expectSignature(bytes: Buffer, signature: string): void {
  if (bytes.toString("latin1", 0, 4) !== signature) throw new RangeError("not a ZIP record");
}
