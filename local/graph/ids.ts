import { createCipheriv, createDecipheriv, createHash } from "node:crypto";

/** An item for life: its first folder and its index there, or `HOME_CREATED` and a serial number. */
export interface ItemUid {
  readonly home: number;
  readonly index: number;
}

/** The `home` of items that the seed does not have. */
export const HOME_CREATED = 0xffff_ffff;

export interface IdCodec {
  readonly item: (uid: ItemUid, generation: number) => string;
  readonly folder: (tag: number) => string;
  readonly readItem: (id: string) => { uid: ItemUid; generation: number } | undefined;
  readonly readFolder: (id: string) => number | undefined;
  /** 30 bytes, as everywhere but in an import answer. @doc samples. */
  readonly changeKey: (changeNumber: number) => string;
  /** 22 bytes, as an import answers. @doc samples. */
  readonly shortChangeKey: (changeNumber: number) => string;
}

const ITEM_PREFIX_BYTES = 97;
const FOLDER_PREFIX_BYTES = 74;
const ITEM_MAGIC = 0x4d49;
const FOLDER_MAGIC = 0x4d46;
const LONG_CHANGE_KEY = Buffer.from("0900000016000000", "hex");

const sha256 = (text: string) => createHash("sha256").update(text).digest();
const toRestId = (bytes: Buffer) => bytes.toString("base64").replaceAll("/", "-").replaceAll("+", "_");
const fromRestId = (id: string) => Buffer.from(id.replaceAll("-", "/").replaceAll("_", "+"), "base64");

/** A 32-bit name of a folder key, the same at every start. */
export const folderTag = (key: string): number => sha256(`folder:${key}`).readUInt32LE(0);

/** A GUID that depends on nothing but the text. */
export function guidOf(text: string): string {
  const hex = sha256(`guid:${text}`).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Ids as long as real ones whose last block is the encrypted place of what they name, so that a million of them need no
 * table, and an id of another mailbox, or with its letter case changed, names nothing.
 */
export function idCodec(mailboxId: string): IdCodec {
  const key = sha256(`ids:${mailboxId}`);
  const cipher = createCipheriv("aes-128-ecb", key.subarray(0, 16), null).setAutoPadding(false);
  const decipher = createDecipheriv("aes-128-ecb", key.subarray(0, 16), null).setAutoPadding(false);
  const prefix = Buffer.concat([Buffer.from("00032400", "hex"), key, sha256(`more:${mailboxId}`), key, key]);
  const store = Buffer.from(key.subarray(16));
  store[0] = ((store[0] ?? 0) & 0x3f) | 0x80;

  const seal = (prefixBytes: number, block: Buffer) =>
    toRestId(Buffer.concat([prefix.subarray(0, prefixBytes), cipher.update(block)]));
  const open = (prefixBytes: number, id: string, magic: number) => {
    const bytes = fromRestId(id);
    if (bytes.length !== prefixBytes + 16 || toRestId(bytes) !== id) return undefined;
    if (bytes.compare(prefix, 0, prefixBytes, 0, prefixBytes) !== 0) return undefined;
    const block = decipher.update(bytes.subarray(prefixBytes));
    return block.readUInt16LE(0) === magic && block.readUInt32LE(12) === 0 ? block : undefined;
  };
  const shortKey = (changeNumber: number) => {
    const bytes = Buffer.alloc(22);
    store.copy(bytes);
    bytes.writeUInt16BE(1, 16);
    bytes.writeUInt32BE(changeNumber, 18);
    return bytes;
  };

  return {
    item: (uid, generation) => {
      const block = Buffer.alloc(16);
      block.writeUInt16LE(ITEM_MAGIC, 0);
      block.writeUInt16LE(generation, 2);
      block.writeUInt32LE(uid.home, 4);
      block.writeUInt32LE(uid.index, 8);
      return seal(ITEM_PREFIX_BYTES, block);
    },
    folder: (tag) => {
      const block = Buffer.alloc(16);
      block.writeUInt16LE(FOLDER_MAGIC, 0);
      block.writeUInt32LE(tag, 4);
      return seal(FOLDER_PREFIX_BYTES, block);
    },
    readItem: (id) => {
      const block = open(ITEM_PREFIX_BYTES, id, ITEM_MAGIC);
      if (block === undefined) return undefined;
      return {
        uid: { home: block.readUInt32LE(4), index: block.readUInt32LE(8) },
        generation: block.readUInt16LE(2),
      };
    },
    readFolder: (id) => open(FOLDER_PREFIX_BYTES, id, FOLDER_MAGIC)?.readUInt32LE(4),
    changeKey: (changeNumber) => Buffer.concat([LONG_CHANGE_KEY, shortKey(changeNumber)]).toString("base64"),
    shortChangeKey: (changeNumber) => shortKey(changeNumber).toString("base64"),
  };
}
