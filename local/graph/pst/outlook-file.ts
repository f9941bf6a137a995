import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { PSTFile } from "pst-extractor";
import type { SeedMailbox, SeedUser } from "../seed.ts";
import { readFolders, storeOf } from "./folders.ts";
import { readItem } from "./item.ts";
import { namedPropertyId } from "./named-properties.ts";
import { type Content, nodeOf } from "./node.ts";
import { openOutlookFile, orDamaged } from "./open.ts";
import { payloadOf } from "./payload.ts";

/** A mailbox that reads from an open file until it is closed. */
export interface OutlookMailbox extends SeedMailbox {
  /** Safe to call twice; reading afterwards throws. */
  close(): void;
}

const PID = { displayName: 0x3001, recordKey: 0x0ff9 };

/**
 * Opens an Outlook data file (.pst) as the start of a mailbox. Folders are read now; items, and the content of each,
 * when they are asked for. Its owner is named after the file unless `user` says otherwise, with an id that depends on
 * the file's own key.
 * @throws {OutlookFileError} when the file is missing, no PST, encrypted, truncated or damaged.
 */
export const readOutlookFile = (path: string, user: Partial<SeedUser> = {}): OutlookMailbox => {
  const file = openOutlookFile(path);
  let isOpen = true;
  const close = () => {
    if (isOpen) file.close();
    isOpen = false;
  };
  const checkOpen = () => {
    if (!isOpen) throw new Error(`The Outlook file ${path} is closed.`);
  };
  try {
    return { ...orDamaged(path, () => mailboxOf(path, file, user, checkOpen)), close };
  } catch (error) {
    close();
    throw error;
  }
};

const mailboxOf = (path: string, file: PSTFile, user: Partial<SeedUser>, checkOpen: () => void): SeedMailbox => {
  const folders = readFolders(file);
  const keywordsId = namedPropertyId(file, "Keywords");
  const byKey = new Map(folders.map(({ seed, itemIds }) => [seed.key, itemIds]));
  return {
    user: { ...ownerOf(path, file), ...user },
    folders: folders.map(({ seed }) => seed),
    item: (folderKey, index) => {
      checkOpen();
      const id = byKey.get(folderKey)?.[index];
      if (id === undefined) throw new Error(`The Outlook file ${path} has no item ${index} in folder ${folderKey}.`);
      return orDamaged(path, () => {
        const node = nodeOf(file, id);
        return readItem(node, guarded(payloadOf(node), checkOpen), keywordsId);
      });
    },
  };
};

/** The number of a closed descriptor may belong to another file by now, so nothing may be read through it. */
const guarded = (content: Content, checkOpen: () => void): Content => ({
  get length() {
    checkOpen();
    return content.length;
  },
  read: function* () {
    checkOpen();
    for (const bytes of content.read()) {
      yield bytes;
      checkOpen();
    }
  },
});

const ownerOf = (path: string, file: PSTFile): SeedUser => {
  const name = basename(path).replace(/\.pst$/i, "");
  const store = storeOf(file);
  const key = createHash("sha256")
    .update(store.bytes(PID.recordKey) ?? name)
    .digest("hex");
  const address = `${name.toLowerCase().replace(/[^a-z0-9]+/g, ".")}@outlook.example`;
  return {
    id: [key.slice(0, 8), key.slice(8, 12), key.slice(12, 16), key.slice(16, 20), key.slice(20, 32)].join("-"),
    userPrincipalName: address,
    displayName: store.text(PID.displayName) ?? name,
    mail: address,
    accountEnabled: true,
    licensed: true,
  };
};
