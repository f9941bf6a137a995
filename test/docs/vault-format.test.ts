import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GraphEmulator, startGraphEmulator } from "../../local/graph/emulator.ts";
import { mailboxKey } from "../../shared/vault/mailbox-key.ts";
import { memoryBlobs } from "../shared/storage/memory-blobs.ts";
import { runBackup } from "../support/backup-run.ts";

// What reads the vault here is `unzip`, `gunzip`, JSON.parse and docs/vault-format.md: nothing of the program.

interface Item {
  readonly folderId: string;
  readonly id: string;
  readonly sha256: string;
}
interface Put extends Item {
  readonly op: "put";
  readonly pack: string;
  readonly recordedIn?: string;
  readonly offset: number;
  readonly rawBytes: number;
}
type CatalogueLine = Put | (Omit<Item, "sha256"> & { readonly op: string; readonly removed?: true });
interface FolderLine {
  readonly id: string;
  readonly path: string;
  readonly removed?: true;
  readonly outside?: true;
}
interface Manifest {
  readonly id: string;
  readonly base: boolean;
  readonly parent: { readonly id: string; readonly sha256: string } | null;
  readonly parts: readonly { name: string; sha256: string; bytes: number; records: number; folders?: true }[];
  readonly root: string;
}

const run = promisify(execFile);
const sha256 = (...pieces: readonly (Uint8Array | string)[]): string =>
  pieces.reduce((hash, piece) => hash.update(piece), createHash("sha256")).digest("hex");
const lineOf = ({ folderId, id, sha256 }: Item): string => `${folderId} ${id} ${sha256}`;

let emulator: GraphEmulator;
let dir: string;
let key: string;
/** What the mailbox held, and the paths of its folders, when each of the two snapshots was taken. */
const then: { items: string[]; paths: string[]; snapshot: string }[] = [];
/** An item whose new version could not be exported for the second snapshot. */
let unlucky: Item | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "vault-format-"));
  emulator = await startGraphEmulator();
  const { admin, graphUrl } = emulator;
  const { mailboxId: mailbox = "", userId } = await admin["add-mailbox"]({
    kind: "generated",
    userPrincipalName: "someone@contoso.example",
    items: 60,
    userFolders: 4,
    bytes: { fixed: 700 },
  });
  key = mailboxKey(mailbox);
  const vault = memoryBlobs();
  const place = { graphUrl, token: "emulator-token", vault, work: memoryBlobs() };

  const itemsNow = async (folder?: string): Promise<Item[]> => {
    const items: Item[] = [];
    const of = folder === undefined ? { mailbox } : { mailbox, folder };
    for await (const item of await admin.items(of)) items.push(item);
    return items;
  };
  const backUp = async (): Promise<void> => {
    const items = (await itemsNow()).map((item) => lineOf(item.id === unlucky?.id ? unlucky : item));
    const folders = await admin.folders({ mailbox });
    const { snapshotId } = await runBackup(place, { key, id: mailbox, kind: "primary", userId });
    then.push({ items: items.toSorted(), paths: pathsOf(folders), snapshot: snapshotId });
  };

  await admin["create-items"]({ mailbox, folder: "drafts", count: 1, bytes: 1_500_000 });
  await backUp();

  const [removed, moved, changed, fated] = await itemsNow("inbox");
  unlucky = fated;
  await admin["remove-item"]({ mailbox, item: removed?.id ?? "" });
  await admin["move-item"]({ mailbox, item: moved?.id ?? "", folder: "archive" });
  await admin["change-item"]({ mailbox, item: changed?.id ?? "", bytes: 2_500 });
  await admin["change-item"]({ mailbox, item: fated?.id ?? "", bytes: 9 });
  await admin["add-fault"]({ kind: "export-item", itemIds: [fated?.id ?? ""], outcome: "error", code: "ErrorOdd" });
  await admin["remove-folder"]({ mailbox, folder: "user-0" });
  const { id: folder } = await admin["create-folder"]({ mailbox, parent: "inbox", displayName: "50% / year" });
  await admin["create-items"]({ mailbox, folder, count: 3, bytes: 100 });
  await backUp();

  for (const [name, { body }] of vault.blobs) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), body);
  }
});
afterAll(async () => {
  await emulator.stop();
  await rm(dir, { recursive: true });
});

const pathsOf = (folders: readonly { id: string; parentId?: string; displayName: string }[]): string[] => {
  const path = ({ parentId, displayName }: (typeof folders)[number]): string => {
    const parent = folders.find(({ id }) => id === parentId);
    const name = displayName.replaceAll("%", "%25").replaceAll("/", "%2F");
    return parent === undefined ? name : `${path(parent)}/${name}`;
  };
  return folders.map(path).toSorted();
};

const bytesOf = (name: string): Promise<Buffer> => readFile(join(dir, name));

/** From a snapshot back to its base, the hash of each manifest being the one that is pinned; oldest first. */
const chainOf = async (id: string, pinned: string): Promise<Manifest[]> => {
  const bytes = await bytesOf(`${key}/snapshots/${id}.manifest.json`);
  expect(sha256(bytes)).toBe(pinned);
  const manifest: Manifest = JSON.parse(bytes.toString());
  if (manifest.base) return [manifest];
  return [...(await chainOf(manifest.parent?.id ?? "", manifest.parent?.sha256 ?? "")), manifest];
};

const chainFromHead = async (): Promise<Manifest[]> => {
  const { newest } = JSON.parse((await bytesOf(`${key}/head.json`)).toString());
  return chainOf(newest.id, newest.manifestSha256);
};

const base32 = "abcdefghijklmnopqrstuvwxyz234567";

/** The first 26 characters of a SHA-256 in base32 are its first 130 bits. */
const keyOf = (mailboxId: string): string =>
  (BigInt(`0x${sha256(mailboxId)}`) >> 126n)
    .toString(32)
    .padStart(26, "0")
    .replace(/./g, (digit) => base32[Number.parseInt(digit, 32)] ?? "");

const linesOf = async (name: string): Promise<CatalogueLine[]> => {
  const { stdout } = await run("gunzip", ["-c", join(dir, name)]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
};

const fold = async (chain: readonly Manifest[]): Promise<Put[]> => {
  const live = new Map<string, Put>();
  for (const part of chain.flatMap(({ parts }) => parts))
    for (const line of await linesOf(part.name)) {
      if (line.op === "put") live.set(`${line.folderId}\n${line.id}`, line as Put);
      if (line.op === "remove") live.delete(`${line.folderId}\n${line.id}`);
      if (line.op === "folder" && ("removed" in line || "outside" in line))
        for (const [item, { folderId }] of live) if (folderId === line.id) live.delete(item);
    }
  return [...live.values()];
};

/** The paths of the folders that are backed up. */
const foldFolders = async (chain: readonly Manifest[]): Promise<string[]> => {
  const folders = new Map<string, FolderLine>();
  for (const { name } of chain.flatMap(({ parts }) => parts).filter((part) => part.folders))
    for (const line of (await linesOf(name)) as unknown as FolderLine[]) folders.set(line.id, line);
  return [...folders.values()].flatMap(({ path, removed, outside }) => (removed || outside ? [] : [path])).toSorted();
};

/** The entries of a pack, in their order, as SHA-256 values. */
const entriesOf = async (pack: string): Promise<string[]> => {
  const { stdout } = await run("unzip", ["-Z1", join(dir, pack)]);
  const names = stdout.split("\n").filter((name) => name.endsWith(".fts"));
  const out = await mkdtemp(join(dir, "unzipped-"));
  await run("unzip", ["-q", join(dir, pack), "-d", out]);
  return Promise.all(names.map(async (name) => sha256(await readFile(join(out, name)))));
};

const tree = (leaves: readonly Uint8Array[]): string => {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return sha256(Uint8Array.of(0), only);
  const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
  const branches = [leaves.slice(0, k), leaves.slice(k)].map((half) => Buffer.from(tree(half), "hex"));
  return sha256(Uint8Array.of(1), ...branches);
};

describe("a vault that a backup wrote, read with unzip, gunzip and the page alone", () => {
  test("lies below a name that its mailbox id gives", async () => {
    const { mailboxId } = JSON.parse((await bytesOf(`${key}/head.json`)).toString());
    expect(await readdir(dir)).toContain(keyOf(mailboxId));
  });

  test("is pinned by its head: manifests, their roots, and the parts' hashes, lengths and counts", async () => {
    const chain = await chainFromHead();

    expect(chain.map(({ id }) => id)).toEqual(then.map(({ snapshot }) => snapshot));
    expect(chain.map(({ base }) => base)).toEqual([true, false]);
    for (const { parts, root } of chain) {
      expect(tree(parts.map((part) => Buffer.from(part.sha256, "hex")))).toBe(root);
      for (const part of parts) {
        const bytes = await bytesOf(part.name);
        expect({ ...part, sha256: sha256(bytes), bytes: bytes.length }).toEqual(part);
        expect(await linesOf(part.name)).toHaveLength(part.records);
      }
    }
  });

  test.each([
    ["the base snapshot", 1],
    ["the snapshot after changes, moves, removals and a removed folder", 2],
  ])("gives back every item of %s", async (_, length) => {
    const live = await fold((await chainFromHead()).slice(0, length));

    expect(live.map(lineOf).toSorted()).toEqual(then[length - 1]?.items);
    for (const pack of new Set(live.map((put) => put.pack))) {
      const entries = await entriesOf(pack);
      const puts = live.filter((put) => put.pack === pack).toSorted((a, b) => a.offset - b.offset);
      const found = puts.map((put) => entries.indexOf(put.sha256));
      expect(found).not.toContain(-1);
      expect(found).toEqual(found.toSorted((a, b) => a - b));
    }
  });

  test("names the folders by paths that tell apart what is in a name and what is between names", async () => {
    const chain = await chainFromHead();

    expect(await Promise.all([1, 2].map((length) => foldFolders(chain.slice(0, length))))).toEqual(
      then.map(({ paths }) => paths),
    );
    expect(then[1]?.paths).toContain("Inbox/50%25 %2F year");
  });

  test("can be rebuilt from its packs: each ends with the records of its batch", async () => {
    const chain = await chainFromHead();
    const lines = (await Promise.all(chain.flatMap(({ parts }) => parts).map(({ name }) => linesOf(name)))).flat();
    const puts = lines.filter((line): line is Put => line.op === "put");
    const packs = (await readdir(join(dir, key, "packs"), { recursive: true })).filter((name) => name.endsWith(".zip"));

    for (const name of packs.map((pack) => `${key}/packs/${pack}`)) {
      const { stdout } = await run("unzip", ["-p", join(dir, name), "index.json"]);
      const index = JSON.parse(stdout);
      const indexed = index.records.filter(({ op }: CatalogueLine) => op === "put");
      expect(index.pack).toBe(name);
      expect(indexed).toEqual(puts.filter(({ pack, recordedIn = pack }) => recordedIn === name));
    }
    expect(puts.some(({ recordedIn }) => recordedIn !== undefined)).toBe(true);
    expect(lines.some(({ op }) => op === "fail")).toBe(true);
  });
});
