import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { memoryBlobs } from "../shared/storage/memory-blobs.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** The versions that left a vault among the fixtures, as the names of their folders. */
export const versionsBefore = async (): Promise<string[]> =>
  (await readdir(FIXTURES, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);

const Snapshot = z.strictObject({
  id: z.string(),
  base: z.boolean(),
  hasBase: z.boolean(),
  parent: z.unknown(),
  manifestSha256: z.string(),
  state: z.string(),
  trigger: z.string(),
  counts: z.unknown(),
  /** Paths, sorted. */
  folders: z.array(z.string()),
  leftOut: z.array(z.unknown()),
  /** Folder, bytes, SHA-256 and id of each live item, with tabs between, sorted. */
  items: z.array(z.string()),
});

/** What the vault holds by what Graph listed before each backup, and by unzip, gunzip and the page on the format. */
const Expected = z.strictObject({
  mailboxes: z.array(
    z.strictObject({
      key: z.string(),
      mailboxId: z.string(),
      user: z.strictObject({ id: z.string() }),
      hold: z.unknown(),
      newest: z.unknown(),
      snapshots: z.array(Snapshot),
    }),
  ),
});

/** The blobs of a container, as they were; tests may change them. */
const container = async (version: string, name: string) => {
  const blobs = memoryBlobs();
  const root = join(FIXTURES, version, name);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    await blobs.create(path.slice(root.length + 1).replaceAll("\\", "/"), await readFile(path));
  }
  return blobs;
};

/** All that a version left behind, and what it should be. */
export const aVaultBefore = async (version: string) => ({
  dir: join(FIXTURES, version, "vault"),
  vault: await container(version, "vault"),
  state: await container(version, "state"),
  work: await container(version, "work"),
  audit: await container(version, "audit"),
  ...Expected.parse(JSON.parse(await readFile(join(FIXTURES, version, "expected.json"), "utf8"))),
});
export type VaultBefore = Awaited<ReturnType<typeof aVaultBefore>>;
