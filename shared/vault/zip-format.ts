/** Compression methods of ZIP. Source: APPNOTE.TXT 4.4.5. */
const METHOD = { store: 0, deflate: 8 } as const;

/** Signatures of APPNOTE.TXT 4.3: local header, data descriptor, central directory, and the end records. */
const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;

const ZIP64_EXTRA_ID = 1;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;

/** Flag bit 3: sizes and CRC follow the data. Names are plain ASCII, so there is no UTF-8 flag. */
const SIZES_FOLLOW = 8;

/** Length of a pack's comment, its checksum: the SHA-256 of all bytes before it, in hexadecimal. */
export const SUM_BYTES = 64;

/** 1980-01-01, the first date of ZIP: equal items make equal packs. */
const DOS_DATE = (1 << 5) | 1;

const VERSION_DEFLATE = 20;
const VERSION_ZIP64 = 45;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const END_64_BYTES = 56;
const LOCATOR_64_BYTES = 20;

export type ZipMethod = keyof typeof METHOD;

export interface ZipSizes {
  crc32: number;
  storedBytes: number;
  rawBytes: number;
}

export interface ZipEntry extends ZipSizes {
  name: string;
  method: ZipMethod;
  headerOffset: number;
  streamed: boolean;
}

/**
 * The header before an entry's data. Without sizes the entry is streamed: {@link dataDescriptor} comes after its data,
 * and both are in ZIP64 form, since the length is not known yet.
 */
export const localHeader = (name: string, method: ZipMethod, sizes: ZipSizes | undefined): Buffer => {
  const extra = sizes && fits(sizes) ? Buffer.alloc(0) : zip64Extra([sizes?.rawBytes ?? 0, sizes?.storedBytes ?? 0]);
  const header = Buffer.alloc(LOCAL_BYTES);
  header.writeUInt32LE(LOCAL, 0);
  writeCommon(header, 4, { method, streamed: sizes === undefined, zip64: extra.length > 0 });
  header.writeUInt32LE(sizes?.crc32 ?? 0, 14);
  header.writeUInt32LE(extra.length > 0 ? MAX_32 : (sizes?.storedBytes ?? 0), 18);
  header.writeUInt32LE(extra.length > 0 ? MAX_32 : (sizes?.rawBytes ?? 0), 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, Buffer.from(name, "ascii"), extra]);
};

export const dataDescriptor = ({ crc32, storedBytes, rawBytes }: ZipSizes): Buffer => {
  const descriptor = Buffer.alloc(24);
  descriptor.writeUInt32LE(DESCRIPTOR, 0);
  descriptor.writeUInt32LE(crc32, 4);
  descriptor.writeBigUInt64LE(BigInt(storedBytes), 8);
  descriptor.writeBigUInt64LE(BigInt(rawBytes), 16);
  return descriptor;
};

/**
 * The central directory, which starts at `offset` of the file, and the end records; in ZIP64 form if a number needs it.
 * The caller writes the file's comment after it, if there is one.
 */
export const directory = (entries: readonly ZipEntry[], offset: number, commentBytes = 0): Buffer => {
  const central = Buffer.concat(entries.map(centralHeader));
  const zip64 = entries.length >= MAX_16 || offset >= MAX_32 || central.length >= MAX_32;
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(Math.min(entries.length, MAX_16), 8);
  end.writeUInt16LE(Math.min(entries.length, MAX_16), 10);
  end.writeUInt32LE(Math.min(central.length, MAX_32), 12);
  end.writeUInt32LE(Math.min(offset, MAX_32), 16);
  end.writeUInt16LE(commentBytes, 20);
  return Buffer.concat([central, ...(zip64 ? [zip64End(entries.length, central.length, offset)] : []), end]);
};

const centralHeader = ({ name, method, streamed, headerOffset, ...sizes }: ZipEntry): Buffer => {
  const far = headerOffset >= MAX_32;
  const numbers = [...(fits(sizes) ? [] : [sizes.rawBytes, sizes.storedBytes]), ...(far ? [headerOffset] : [])];
  const extra = numbers.length === 0 ? Buffer.alloc(0) : zip64Extra(numbers);
  const header = Buffer.alloc(CENTRAL_BYTES);
  header.writeUInt32LE(CENTRAL, 0);
  header.writeUInt16LE(VERSION_ZIP64, 4);
  writeCommon(header, 6, { method, streamed, zip64: streamed || extra.length > 0 });
  header.writeUInt32LE(sizes.crc32, 16);
  header.writeUInt32LE(fits(sizes) ? sizes.storedBytes : MAX_32, 20);
  header.writeUInt32LE(fits(sizes) ? sizes.rawBytes : MAX_32, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(Math.min(headerOffset, MAX_32), 42);
  return Buffer.concat([header, Buffer.from(name, "ascii"), extra]);
};

/** Writes the ten bytes that local and central headers share: version needed, flags, method, time, date. */
const writeCommon = (
  header: Buffer,
  at: number,
  { method, streamed, zip64 }: { method: ZipMethod; streamed: boolean; zip64: boolean },
): void => {
  header.writeUInt16LE(zip64 ? VERSION_ZIP64 : VERSION_DEFLATE, at);
  header.writeUInt16LE(streamed ? SIZES_FOLLOW : 0, at + 2);
  header.writeUInt16LE(METHOD[method], at + 4);
  header.writeUInt16LE(DOS_DATE, at + 8);
};

const zip64Extra = (numbers: readonly number[]): Buffer => {
  const extra = Buffer.alloc(4 + 8 * numbers.length);
  extra.writeUInt16LE(ZIP64_EXTRA_ID, 0);
  extra.writeUInt16LE(8 * numbers.length, 2);
  for (const [i, number] of numbers.entries()) extra.writeBigUInt64LE(BigInt(number), 4 + 8 * i);
  return extra;
};

const zip64End = (count: number, centralBytes: number, offset: number): Buffer => {
  const record = Buffer.alloc(END_64_BYTES + LOCATOR_64_BYTES);
  record.writeUInt32LE(END_64, 0);
  record.writeBigUInt64LE(BigInt(END_64_BYTES - 12), 4);
  record.writeUInt16LE(VERSION_ZIP64, 12);
  record.writeUInt16LE(VERSION_ZIP64, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(centralBytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  record.writeUInt32LE(LOCATOR_64, END_64_BYTES);
  record.writeBigUInt64LE(BigInt(offset + centralBytes), END_64_BYTES + 8);
  record.writeUInt32LE(1, END_64_BYTES + 16);
  return record;
};

const fits = ({ storedBytes, rawBytes }: ZipSizes): boolean => storedBytes < MAX_32 && rawBytes < MAX_32;
