import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { Folder, GraphAdmin, User } from "../stack/admin.ts";
import type { VaultApi } from "../stack/api.ts";
import { readableBytes, readableSeconds, type Screen, table } from "./screen.ts";

export interface BackupFigures {
  readonly mailboxes: number;
  readonly items: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface RestoreFigures {
  readonly items: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface PersonalDataFigures {
  readonly files: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly inventorySha256: string;
}

const Count = z.number().nonnegative();
const BackupResult = z.looseObject({ complete: Count, partial: Count, failed: Count, items: Count, bytes: Count });
const RestoreResult = z.looseObject({ imported: Count, bytes: Count });
const PersonalData = z.looseObject({
  result: z.looseObject({ files: Count, bytes: Count, inventorySha256: z.string() }),
  inventory: z.looseObject({
    files: z.array(z.looseObject({ name: z.string(), bytes: Count, sha256: z.string(), href: z.string() })),
  }),
});

const secondsSince = (startMs: number): number => Math.round((performance.now() - startMs) / 10) / 100;

const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** Backs up every mailbox and waits for the end; one bar for all of them. */
export const backUp = async (api: VaultApi, screen: Screen, expectedItems: number): Promise<BackupFigures> => {
  const started = performance.now();
  const job = await api.start("/api/backups", {});
  const bar = screen.bar("backing up");
  const show = ({ items, bytes }: { items?: unknown; bytes?: unknown }) => {
    if (typeof items === "number") bar.update(items, expectedItems, readableBytes(number(bytes)));
  };
  const ended = await api
    .finish(job, ({ progress, result }) => show({ ...progress, ...Object(result) }))
    .finally(() => bar.stop());
  const { complete, partial, failed, items, bytes } = BackupResult.parse(ended.result);
  if (failed > 0) throw new Error(`The backup of ${failed} mailboxes failed`);

  const figures = { mailboxes: complete + partial, items, bytes, seconds: secondsSince(started) };
  screen.say(
    `  ${figures.mailboxes} mailboxes, ${items} items, ${readableBytes(bytes)} in ${readableSeconds(figures.seconds)}`,
  );
  return figures;
};

/** What is about to be lost: a folder and all below it, with the hashes of its items' streams by folder path. */
export interface Loss {
  readonly user: User;
  readonly folder: Folder;
  readonly path: string;
  readonly streams: ReadonlyMap<string, readonly string[]>;
  readonly items: number;
}

/** The folder with most in it that a person could delete by mistake: one of their own where there is one. */
export const chooseFolder = async (admin: GraphAdmin, users: readonly User[]): Promise<Loss> => {
  const losses: (Loss & { readonly isOwn: boolean })[] = [];
  for (const user of users) {
    const folders = await foldersByPath(admin, user);
    for (const [path, folder] of folders) {
      const lost = [...folders].filter(([other]) => isAtOrBelow(path, other)).map(([, each]) => each);
      const items = lost.reduce((sum, each) => sum + each.items, 0);
      const isOwn = items > 1 && lost.every(({ wellKnownName }) => wellKnownName === undefined);
      if (items > 0) losses.push({ user, folder, path, items, isOwn, streams: new Map() });
    }
  }
  const [chosen] = losses.toSorted((a, b) => Number(b.isOwn) - Number(a.isOwn) || b.items - a.items);
  if (chosen === undefined) throw new Error("No mailbox has a folder with items");
  return { ...chosen, streams: await streamsAtOrBelow(admin, chosen.user, chosen.path) };
};

const isAtOrBelow = (path: string, other: string): boolean => other === path || other.startsWith(`${path}/`);

const foldersByPath = async (admin: GraphAdmin, user: User): Promise<Map<string, Folder>> => {
  const folders = await admin.folders(user.userPrincipalName);
  const byId = new Map(folders.map((folder) => [folder.id, folder]));
  const pathOf = ({ displayName, parentId }: Folder): string => {
    const parent = parentId === undefined ? undefined : byId.get(parentId);
    const segment = displayName.replaceAll("%", "%25").replaceAll("/", "%2F");
    return parent === undefined ? segment : `${pathOf(parent)}/${segment}`;
  };
  return new Map(folders.map((folder) => [pathOf(folder), folder]));
};

const streamsAtOrBelow = async (admin: GraphAdmin, user: User, path: string): Promise<Map<string, string[]>> => {
  const streams = new Map<string, string[]>();
  for (const [at, folder] of await foldersByPath(admin, user)) {
    if (!isAtOrBelow(path, at)) continue;
    const items = await admin.items(user.userPrincipalName, folder.id);
    streams.set(at, items.map(({ sha256 }) => sha256).toSorted());
  }
  return streams;
};

/** Restores the lost folder to where it was. */
export const restore = async (api: VaultApi, screen: Screen, loss: Loss): Promise<RestoreFigures> => {
  const started = performance.now();
  const bar = screen.bar("restoring");
  const job = await api.start("/api/restores", {
    mailbox: loss.user.userPrincipalName,
    select: { folders: [loss.folder.id] },
    target: "original",
    reason: "the demo deleted it",
  });
  const ended = await api
    .finish(job, ({ progress }) =>
      bar.update(
        number(progress?.["imported"]),
        number(progress?.["items"]),
        readableBytes(number(progress?.["importedBytes"])),
      ),
    )
    .finally(() => bar.stop());
  const { imported, bytes } = RestoreResult.parse(ended.result);
  const figures = { items: imported, bytes, seconds: secondsSince(started) };
  screen.say(`  ${imported} items, ${readableBytes(bytes)} in ${readableSeconds(figures.seconds)}`);
  return figures;
};

/** Whether every folder is there again with exactly the streams that were lost, each as often as before. */
export const isBack = async (admin: GraphAdmin, { user, path, streams }: Loss): Promise<boolean> =>
  isDeepStrictEqual(await streamsAtOrBelow(admin, user, path), streams);

/** Exports what there is of a person, mailbox and all, prints the inventory, and reads Microsoft's files to compare. */
export const exportPerson = async (api: VaultApi, screen: Screen, user: User): Promise<PersonalDataFigures> => {
  const started = performance.now();
  const body = { user: user.userPrincipalName, reason: "the demo shows it", includeMailbox: true };
  const job = await api.start("/api/personal-data-exports", body);
  await api.finish(job);
  const { result, inventory } = PersonalData.parse(await api.get(`/api/personal-data-exports/${job}`));
  const { files, bytes, inventorySha256 } = result;

  const [mailbox, microsofts] = [true, false].map((own) =>
    inventory.files.filter(({ name }) => name.startsWith("_vault/") === own),
  );
  for (const { name, sha256, href } of microsofts ?? [])
    if ((await sha256At(api, href)) !== sha256) throw new Error(`${name} is not what the inventory says`);
  const lines = (microsofts ?? []).map((file) => [file.name, String(file.bytes), file.sha256.slice(0, 16)]);
  const mailboxBytes = (mailbox ?? []).reduce((sum, file) => sum + file.bytes, 0);
  const rest = [`the mailbox, in ${mailbox?.length} files`, String(mailboxBytes), ""];
  screen.say(table([["file", "bytes", "SHA-256"], ...lines, rest]));
  return { files, bytes, seconds: secondsSince(started), inventorySha256 };
};

const sha256At = async (api: VaultApi, path: string): Promise<string> =>
  createHash("sha256")
    .update(Buffer.from(await (await api.request(path)).arrayBuffer()))
    .digest("hex");
