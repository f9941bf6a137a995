import { localHeader, SUM_BYTES, type ZipMethod } from "./zip-format.ts";

/** An entry as the directory describes it, and the offset of its data. */
export interface EntryData {
  name: string;
  method: ZipMethod;
  offset: number;
  storedBytes: number;
  rawBytes: number;
  crc32: number;
}

/** Reads `length` bytes at `offset` of the file; fewer only at the end of the file. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

const END_BYTES = 22;
const LOCATOR_64_BYTES = 20;
const END_64_BYTES = 56;
const CENTRAL_BYTES = 46;
const SIZES_FOLLOW = 8;
const MAX_32 = 0xffffffff;

/**
 * The entries of a ZIP file in the form of packs, without a comment or with one as long as a checksum.
 *
 * @throws {RangeError} when the file is no ZIP file, or is cut off.
 */
export const readDirectory = async (fileBytes: number, read: ReadAt): Promise<EntryData[]> => {
  const { offset, length } = await centralDirectory(fileBytes, read);
  const central = await read(offset, length);
  const entries: EntryData[] = [];
  for (let at = 0; at < central.length; at += headerBytes(central.subarray(at)))
    entries.push(entryData(central.subarray(at)));
  return entries;
};

const centralDirectory = async (fileBytes: number, read: ReadAt): Promise<{ offset: number; length: number }> => {
  const { end, at } = await endRecord(fileBytes, read);
  const [count, length, offset] = [end.readUInt16LE(10), end.readUInt32LE(12), end.readUInt32LE(16)];
  if (count < 0xffff && length < MAX_32 && offset < MAX_32) return { offset, length };

  const locator = await read(at - LOCATOR_64_BYTES, LOCATOR_64_BYTES);
  expectSignature(locator, "PK\u0006\u0007");
  const end64 = await read(Number(locator.readBigUInt64LE(8)), END_64_BYTES);
  expectSignature(end64, "PK\u0006\u0006");
  return { length: Number(end64.readBigUInt64LE(40)), offset: Number(end64.readBigUInt64LE(48)) };
};

const endRecord = async (fileBytes: number, read: ReadAt): Promise<{ end: Buffer; at: number }> => {
  for (const commentBytes of [SUM_BYTES, 0]) {
    const at = fileBytes - END_BYTES - commentBytes;
    const end = at < 0 ? Buffer.alloc(0) : await read(at, END_BYTES);
    if (hasSignature(end, "PK\u0005\u0006") && end.readUInt16LE(20) === commentBytes) return { end, at };
  }
  throw new RangeError("the file has no end record of a ZIP file");
};

const headerBytes = (header: Buffer): number => {
  expectSignature(header, "PK\u0001\u0002");
  return CENTRAL_BYTES + header.readUInt16LE(28) + header.readUInt16LE(30) + header.readUInt16LE(32);
};

const entryData = (header: Buffer): EntryData => {
  expectSignature(header, "PK\u0001\u0002");
  const nameBytes = header.readUInt16LE(28);
  const name = header.toString("ascii", CENTRAL_BYTES, CENTRAL_BYTES + nameBytes);
  const method = header.readUInt16LE(10) === 0 ? "store" : "deflate";
  const isStreamed = (header.readUInt16LE(8) & SIZES_FOLLOW) !== 0;
  const number = numbersOf(header, CENTRAL_BYTES + nameBytes + 4);
  const sizes = { crc32: header.readUInt32LE(16), rawBytes: number(24), storedBytes: number(20) };
  const offset = number(42) + localHeader(name, method, isStreamed ? undefined : sizes).length;
  return { name, method, offset, ...sizes };
};

/** Reads numbers of a header. Numbers too large for it are in its ZIP64 field, in the order of the calls. */
const numbersOf = (header: Buffer, extraAt: number): ((at: number) => number) => {
  let next = extraAt;
  return (at) => {
    const number = header.readUInt32LE(at);
    if (number < MAX_32) return number;
    next += 8;
    return Number(header.readBigUInt64LE(next - 8));
  };
};

const hasSignature = (bytes: Buffer, signature: string): boolean => bytes.toString("latin1", 0, 4) === signature;

const expectSignature = (bytes: Buffer, signature: string): void => {
  if (!hasSignature(bytes, signature)) throw new RangeError("not a ZIP record");
};
