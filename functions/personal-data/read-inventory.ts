import { type Blobs, collect, parseJson } from "../../shared/storage/blobs.ts";
import { INVENTORY_NAME } from "./package-names.ts";
import { PackageFile } from "./personal-data-state.ts";

/** Longest line: a name of 1,024 escaped characters, and the other fields. */
const MAX_LINE_BYTES = 8_192;

const LINE_FEED = 10;

interface InventoryPart {
  readonly files: readonly PackageFile[];
  /** Bytes of the whole inventory. */
  readonly inventoryBytes: number;
  /** The offset of the next part, if there is one. */
  readonly next: number | undefined;
}

/** Files of the inventory from an offset on; `undefined` while there is none. Reads no more than it needs. */
export const readInventory = async (files: Blobs, from: number, max: number): Promise<InventoryPart | undefined> => {
  const inventoryBytes = (await files.info(INVENTORY_NAME))?.bytes;
  if (inventoryBytes === undefined) return undefined;
  const content = await files.read(INVENTORY_NAME, { offset: from, length: max * MAX_LINE_BYTES });
  const bytes = await collect(content ?? nothing());
  const listed: PackageFile[] = [];
  let at = 0;
  while (listed.length < max) {
    const end = bytes.indexOf(LINE_FEED, at);
    if (end < 0) break;
    listed.push(parseJson(INVENTORY_NAME, bytes.subarray(at, end), PackageFile));
    at = end + 1;
  }
  const next = from + at;
  return { files: listed, inventoryBytes, next: next < inventoryBytes && at > 0 ? next : undefined };
};

async function* nothing(): AsyncGenerator<Uint8Array> {}
