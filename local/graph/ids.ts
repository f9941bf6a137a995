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
  /** The MAPI entry id of an item, which changes with every move, as its REST id does. */
  readonly itemEntry: (uid: ItemUid, generation: number) => Buffer;
  readonly folderEntry: (tag: number) => Buffer;
  readonly readItemEntry: (entry: Buffer) => { uid: ItemUid; generation: number } | undefined;
  readonly readFolderEntry: (entry: Buffer) => number | undefined;
  /** An entry id that stays with an item when it moves. @doc That there is one; @guess its bytes. */
  readonly immutableEntry: (uid: ItemUid) => Buffer;
  readonly readImmutableEntry: (entry: Buffer) => ItemUid | undefined;
  /** 30 bytes, as everywhere but in an import answer. @doc samples. */
  readonly changeKey: (changeNumber: number) => string;
  /** 22 bytes, as an import answers. @doc samples. */
  readonly shortChangeKey: (changeNumber: number) => string;
}

const ITEM_PREFIX_BYTES = 97;
const FOLDER_PREFIX_BYTES = 74;
const ITEM_MAGIC = 0x4d49;
const FOLDER_MAGIC = 0x4d46;
const IMMUTABLE_MAGIC = 0x4d58;
/** Bytes before the encrypted block: 70 in all for a message, 46 for a folder. @doc MS-OXCDATA 2.2.4.1 and 2.2.4.2. */
const ITEM_ENTRY_PREFIX_BYTES = 54;
const FOLDER_ENTRY_PREFIX_BYTES = 30;
/** @doc MS-OXCDATA 2.2.4: four bytes of flags that are 0, a provider's id, and the type of a message or folder. */
const FLAGS_BYTES = 4;
const PROVIDER_BYTES = 16;
const MESSAGE_ENTRY_TYPE = Buffer.from("0700", "hex");
const FOLDER_ENTRY_TYPE = Buffer.from("0100", "hex");
const LONG_CHANGE_KEY = Buffer.from("0900000016000000", "hex");

const sha256 = (text: string) => createHash("sha256").update(text).digest();
/** @observed A REST id is base64 with `-` for `/` and `_` for `+`. */
export const toRestId = (bytes: Buffer): string => bytes.toString("base64").replaceAll("/", "-").replaceAll("+", "_");
export const fromRestId = (id: string): Buffer => Buffer.from(id.replaceAll("-", "/").replaceAll("_", "+"), "base64");

/** A 32-bit name of a folder key, the same at every start. */
export const folderTag = (key: string): number => sha256(`folder:${key}`).readUInt32LE(0);

/** A GUID that depends on nothing but the text. */
export const guidOf = (text: string): string => {
  const hex = sha256(`guid:${text}`).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/**
 * Ids as long as real ones whose last block is the encrypted place of what they name, so that a million of them need no
 * table, and an id of another mailbox, or with its letter case changed, names nothing.
 */
export const idCodec = (mailboxId: string): IdCodec => {
  const key = sha256(`ids:${mailboxId}`);
  const cipher = createCipheriv("aes-128-ecb", key.subarray(0, 16), null).setAutoPadding(false);
  const decipher = createDecipheriv("aes-128-ecb", key.subarray(0, 16), null).setAutoPadding(false);
  const prefix = Buffer.concat([Buffer.from("00032400", "hex"), key, sha256(`more:${mailboxId}`), key, key]);
  const store = Buffer.from(key.subarray(16));
  store[0] = ((store[0] ?? 0) & 0x3f) | 0x80;

  const entryPrefix = (provider: Buffer, type: Buffer, length: number) =>
    Buffer.concat([Buffer.alloc(FLAGS_BYTES), provider.subarray(0, PROVIDER_BYTES), type, key]).subarray(0, length);
  const itemPrefix = prefix.subarray(0, ITEM_PREFIX_BYTES);
  const folderPrefix = prefix.subarray(0, FOLDER_PREFIX_BYTES);
  const itemEntryPrefix = entryPrefix(store, MESSAGE_ENTRY_TYPE, ITEM_ENTRY_PREFIX_BYTES);
  const folderEntryPrefix = entryPrefix(store, FOLDER_ENTRY_TYPE, FOLDER_ENTRY_PREFIX_BYTES);
  const immutablePrefix = entryPrefix(sha256("immutable ids"), MESSAGE_ENTRY_TYPE, FOLDER_ENTRY_PREFIX_BYTES);

  const seal = (start: Buffer, block: Buffer) => Buffer.concat([start, cipher.update(block)]);
  const open = (start: Buffer, bytes: Buffer, magic: number) => {
    if (bytes.length !== start.length + 16 || !bytes.subarray(0, start.length).equals(start)) return undefined;
    const block = decipher.update(bytes.subarray(start.length));
    return block.readUInt16LE(0) === magic && block.readUInt32LE(12) === 0 ? block : undefined;
  };
  const openRest = (start: Buffer, id: string, magic: number) => {
    const bytes = fromRestId(id);
    return toRestId(bytes) === id ? open(start, bytes, magic) : undefined;
  };
  const itemBlock = (magic: number, uid: ItemUid, generation: number) => {
    const block = Buffer.alloc(16);
    block.writeUInt16LE(magic, 0);
    block.writeUInt16LE(generation, 2);
    block.writeUInt32LE(uid.home, 4);
    block.writeUInt32LE(uid.index, 8);
    return block;
  };
  const folderBlock = (tag: number) => {
    const block = Buffer.alloc(16);
    block.writeUInt16LE(FOLDER_MAGIC, 0);
    block.writeUInt32LE(tag, 4);
    return block;
  };
  const uidIn = (block: Buffer): ItemUid => ({ home: block.readUInt32LE(4), index: block.readUInt32LE(8) });
  const itemIn = (block: Buffer | undefined) =>
    block === undefined ? undefined : { uid: uidIn(block), generation: block.readUInt16LE(2) };
  const shortKey = (changeNumber: number) => {
    const bytes = Buffer.alloc(22);
    store.copy(bytes);
    bytes.writeUInt16BE(1, 16);
    bytes.writeUInt32BE(changeNumber, 18);
    return bytes;
  };

  return {
    item: (uid, generation) => toRestId(seal(itemPrefix, itemBlock(ITEM_MAGIC, uid, generation))),
    folder: (tag) => toRestId(seal(folderPrefix, folderBlock(tag))),
    readItem: (id) => itemIn(openRest(itemPrefix, id, ITEM_MAGIC)),
    readFolder: (id) => openRest(folderPrefix, id, FOLDER_MAGIC)?.readUInt32LE(4),
    itemEntry: (uid, generation) => seal(itemEntryPrefix, itemBlock(ITEM_MAGIC, uid, generation)),
    folderEntry: (tag) => seal(folderEntryPrefix, folderBlock(tag)),
    readItemEntry: (entry) => itemIn(open(itemEntryPrefix, entry, ITEM_MAGIC)),
    readFolderEntry: (entry) => open(folderEntryPrefix, entry, FOLDER_MAGIC)?.readUInt32LE(4),
    immutableEntry: (uid) => seal(immutablePrefix, itemBlock(IMMUTABLE_MAGIC, uid, 0)),
    readImmutableEntry: (entry) => itemIn(open(immutablePrefix, entry, IMMUTABLE_MAGIC))?.uid,
    changeKey: (changeNumber) => Buffer.concat([LONG_CHANGE_KEY, shortKey(changeNumber)]).toString("base64"),
    shortChangeKey: (changeNumber) => shortKey(changeNumber).toString("base64"),
  };
};
