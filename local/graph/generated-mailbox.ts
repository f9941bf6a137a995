import { generatedPayload, hashText, mix } from "./generated-content.ts";
import { FOLDER_PLAN, type PlannedFolder, userFolders } from "./generated-folders.ts";
import { DOMAINS, FAMILY_NAMES, GIVEN_NAMES, OPENINGS, TOPICS, WORDS } from "./generated-words.ts";
import type { SeedFolder, SeedItem, SeedMailbox, SeedUser } from "./seed.ts";

export interface GeneratedOptions {
  /** Two mailboxes with the same options and seed are the same, byte by byte. */
  readonly seed: string;
  readonly user: SeedUser;
  readonly items: number;
  /** Folders beside the well-known ones. */
  readonly userFolders: number;
  /** `typical` spreads the items over mail, calendar, contacts and tasks; `inbox-only` has them all in the inbox. */
  readonly layout: "typical" | "inbox-only";
  /** Payload sizes: log-normal between `min` and `max`, or all the same. */
  readonly bytes: { readonly fixed: number } | SizeSpread;
  /** Items were received in the `years` years that end here. */
  readonly until: string;
  readonly years: number;
}

interface SizeSpread {
  readonly median: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

const YEAR_MS = 365.25 * 86_400_000;

/** A mailbox computed on demand: a million items take no memory and no time to start. */
export const generatedMailbox = (options: GeneratedOptions): SeedMailbox => {
  const folders = foldersOf(options);
  const salts = new Map(folders.map((folder) => [folder.key, hashText(`${options.seed}/${folder.key}`)]));
  const byKey = new Map(folders.map((folder) => [folder.key, folder]));

  return {
    user: options.user,
    folders,
    item: (folderKey, index) => {
      const folder = byKey.get(folderKey);
      const salt = salts.get(folderKey);
      if (folder === undefined || salt === undefined || index >= folder.itemCount) {
        throw new RangeError(`There is no generated item ${index} in folder ${folderKey}`);
      }
      return generatedItem(options, folder, mix(salt + index), index);
    },
  };
};

const foldersOf = (options: GeneratedOptions): SeedFolder[] => {
  const planned: PlannedFolder[] = [...FOLDER_PLAN, ...userFolders(options.userFolders)];
  const weightOf = (folder: PlannedFolder) =>
    options.layout === "typical" ? folder.weight : folder.key === "inbox" ? 1 : 0;
  const total = planned.reduce((sum, folder) => sum + weightOf(folder), 0);
  const counts = planned.map((folder) => Math.floor((options.items * weightOf(folder)) / total));
  const spare = options.items - counts.reduce((sum, count) => sum + count, 0);

  return planned.map(({ weight, ...folder }, i) => ({
    ...folder,
    itemCount: (counts[i] ?? 0) + (folder.key === "inbox" ? spare : 0),
  }));
};

const generatedItem = (options: GeneratedOptions, folder: SeedFolder, base: number, index: number): SeedItem => {
  const draw = (purpose: number) => mix(base + Math.imul(purpose, 0x9e3779b9));
  const pick = <T>(values: readonly T[], purpose: number) => values[draw(purpose) % values.length] as T;
  const given = pick(GIVEN_NAMES, 1);
  const family = pick(FAMILY_NAMES, 2);
  const name = `${given} ${family}`;
  const address = `${given.toLowerCase()}.${asciiName(family)}@${pick(DOMAINS, 3)}`;
  const subject = `${pick(OPENINGS, 4)}${pick(TOPICS, 5)} ${pick(WORDS, 6)} ${pick(WORDS, 7)} ${draw(8) % 1000}`;
  const received = receivedMs(options, folder, index, draw(9));
  const bytes = payloadBytes(options.bytes, draw(10), draw(11));
  const hasAttachments = bytes > 40_000 && draw(12) % 10 < 7;
  const isMail = folder.type === "IPF.Note";
  const searchKey = [13, 14, 15, 16].map((purpose) => draw(purpose).toString(16).padStart(8, "0")).join("");
  const receivedAt = new Date(received).toISOString();
  const messageId = `<${searchKey}@${pick(DOMAINS, 17)}>`;

  return {
    type: ITEM_TYPES[folder.type] ?? "IPM.Note",
    subject: folder.type === "IPF.Contact" ? name : subject,
    ...(isMail && { from: `${name} <${address}>`, received: receivedAt, internetMessageId: messageId }),
    hasAttachments,
    searchKey,
    categories: draw(18) % 20 === 0 ? [pick(["Red category", "Follow up", "Important"], 19)] : [],
    created: new Date(received + 1000).toISOString(),
    modified: new Date(received + 1000 + (draw(20) % 4 === 0 ? draw(21) % 86_400_000 : 0)).toISOString(),
    payloadBytes: bytes,
    payload: () =>
      generatedPayload(
        `From: ${name} <${address}>\r\nSubject: ${subject}\r\nDate: ${receivedAt}\r\nMessage-ID: ${messageId}\r\n\r\n`,
        base,
        bytes,
        hasAttachments ? 0.6 : 0,
      ),
  };
};

const ASCII_NAMES = new Map(FAMILY_NAMES.map((name) => [name, name.normalize("NFD").replace(/[^A-Za-z]/g, "")]));
const asciiName = (family: string) => (ASCII_NAMES.get(family) ?? family).toLowerCase();

const ITEM_TYPES: Readonly<Record<string, string>> = {
  "IPF.Appointment": "IPM.Appointment",
  "IPF.Contact": "IPM.Contact",
  "IPF.Task": "IPM.Task",
};

/** Times rise with the index, give or take half a step. */
const receivedMs = (options: GeneratedOptions, folder: SeedFolder, index: number, random: number): number => {
  const span = options.years * YEAR_MS;
  const step = span / folder.itemCount;
  return Math.floor(Date.parse(options.until) - span + (index + (random / 2 ** 32) * 0.999) * step);
};

const payloadBytes = (sizes: GeneratedOptions["bytes"], random1: number, random2: number): number => {
  if ("fixed" in sizes) return sizes.fixed;
  const sigma = Math.sqrt(2 * Math.log(Math.max(1, sizes.mean / sizes.median)));
  const normal = Math.sqrt(-2 * Math.log((random1 + 1) / 2 ** 32)) * Math.cos((2 * Math.PI * random2) / 2 ** 32);
  return Math.round(Math.min(sizes.max, Math.max(sizes.min, sizes.median * Math.exp(sigma * normal))));
};
