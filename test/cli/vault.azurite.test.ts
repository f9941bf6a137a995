import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { type ContainerClient, ContainerSASPermissions } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { directoryBlobs } from "../../cli/directory-blobs.ts";
import { runVault } from "../../cli/run.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { headName, packName, RECORDS_CHUNK } from "../../shared/vault/names.ts";
import { aMailboxInGraph } from "../functions/kit.ts";
import { memoryBlobs } from "../shared/storage/memory-blobs.ts";
import { aSoundVault, type SoundVault, soundKey } from "../shared/vault/a-sound-vault.ts";
import { all, snapshotAt } from "../shared/vault/samples.ts";
import { useAzurite } from "../support/azurite.ts";
import { runBackup } from "../support/backup-run.ts";

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "vault-cli-"));
});
afterAll(() => rm(root, { recursive: true }));

const aFolder = (): string => {
  folders += 1;
  return join(root, `f${folders}`);
};

/** The blobs as files, as `az storage blob download-batch` writes them. */
const onDisk = async (vault: SoundVault, folder = aFolder()): Promise<string> => {
  for (const [name, { body }] of vault.blobs) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), body);
  }
  return folder;
};

const collecting = () => {
  const pieces: Buffer[] = [];
  const stream = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      pieces.push(piece);
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(pieces) };
};

const vaultCommand = async (...args: string[]) => {
  const [output, errors] = [collecting(), collecting()];
  const code = await runVault(args, output.stream, errors.stream);
  const out = output.bytes().toString();
  return { code, out, bytes: output.bytes(), lines: out.trimEnd().split("\n"), err: errors.bytes().toString() };
};

const pack = packName(soundKey, snapshotAt(0), 0, 0);

describe("vault verify", () => {
  test("prints only totals for a sound vault, and exits with 0", async () => {
    const { code, out, err } = await vaultCommand("verify", await onDisk(await aSoundVault()));

    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(err).toBe("1 mailboxes, 3 snapshots, 5 packs, 7 items: no damage\n");
  });

  test("prints one line for each finding, and exits with 1", async () => {
    const folder = await onDisk(await aSoundVault());
    const body = await readFile(join(folder, pack));
    body[40] = (body[40] ?? 0) ^ 1;
    await writeFile(join(folder, pack), body);
    await rm(join(folder, headName(soundKey)));
    const { code, lines } = await vaultCommand("verify", folder, soundKey.slice(0, 5));

    expect(code).toBe(1);
    expect(lines).toEqual([
      `${headName(soundKey)}: is missing`,
      expect.stringMatching(new RegExp(`^${pack}, item item 0/0/0: the stream`)),
    ]);
  });

  test("reads a container with read and list rights only, and never shows the SAS", async () => {
    const container = await useAzurite().freshContainer();
    for (const [name, { body }] of (await aSoundVault()).blobs)
      await container.getBlockBlobClient(name).upload(body, body.length);
    const url = await readOnlyUrl(container);
    const sound = await vaultCommand("verify", url);
    await container.getBlockBlobClient(pack).delete();
    const damaged = await vaultCommand("verify", url);
    const refused = await vaultCommand("verify", url.replace(/sig=.{4}/, "sig=AAAA"));

    expect([sound.code, damaged.code, refused.code]).toEqual([0, 1, 2]);
    expect(damaged.lines).toEqual([`${pack}: is missing, with 3 items`]);
    expect(refused.err.trimEnd().split("\n")).toHaveLength(1);
    expect([sound, damaged, refused].map(({ out, err }) => out + err).join()).not.toMatch(/sig=|AAAA/);
  });
});

const readOnlyUrl = (container: ContainerClient): Promise<string> =>
  container.generateSasUrl({
    permissions: ContainerSASPermissions.parse("rl"),
    expiresOn: new Date("2099-01-01T00:00:00Z"),
  });

describe("vault ls, cat and export", () => {
  test("list mailboxes, snapshots, folders and items", async () => {
    const folder = await onDisk(await aSoundVault());
    const ls = async (...operands: string[]) => (await vaultCommand("ls", folder, ...operands)).lines;

    expect(await ls()).toEqual([`${soundKey}\tAda Berg\t${snapshotAt(2)}\t7\t70`]);
    expect((await ls("48d31887")).map((line) => line.split("\t")[0])).toEqual([0, 1, 2].map(snapshotAt));
    expect(await ls(soundKey, "newest")).toEqual([expect.stringMatching(/^Inbox\t6\t\d+$/)]);
    expect((await ls(soundKey, "newest", "inbox")).map((line) => line.split("\t")[0])).not.toContain("item 0/0/0");
    expect((await ls(soundKey, "2026-11-22T01:00:00.5Z", "Inbox")).map((line) => line.split("\t")[0])).toContain(
      "item 0/0/0",
    );
  });

  test("write an item byte by byte, to standard output or to a new file", async () => {
    const vault = await aSoundVault();
    const folder = await onDisk(vault);
    const [item = expect.fail()] = await all(
      foldSnapshot(vault, soundKey, snapshotAt(2), ({ id }) => id === "item 0/1/0"),
    );
    const out = aFolder();
    const shown = await vaultCommand("cat", folder, soundKey, "newest", item.id);
    const written = await vaultCommand("cat", folder, soundKey, "newest", item.id, "--out", out);
    const again = await vaultCommand("cat", folder, soundKey, "newest", item.id, "--out", out);

    expect([shown.code, written.code, again.code]).toEqual([0, 0, 2]);
    expect(sha256(shown.bytes)).toBe(item.sha256);
    expect(sha256(await readFile(out))).toBe(item.sha256);
  });

  test("export every item as a file, with a listing, and report damaged ones", async () => {
    const vault = await aSoundVault();
    const folder = await onDisk(vault);
    const out = aFolder();
    const whole = await vaultCommand("export", folder, soundKey, "newest", "Inbox", "--out", out);
    const rows = (await readFile(join(out, "listing.csv"), "utf8")).trimEnd().split("\r\n").slice(1);
    const live = await all(foldSnapshot(vault, soundKey, snapshotAt(2)));

    expect(whole.code).toBe(0);
    expect(rows.map((row) => row.split(",").at(-1)).toSorted()).toEqual(live.map(({ id }) => id).toSorted());
    for (const row of rows) {
      const cells = row.split(",");
      expect(cells.at(-2)).toBe(sha256(await readFile(join(out, cells[0] ?? ""))));
    }

    const body = await readFile(join(folder, packName(soundKey, snapshotAt(1), 0, 0)));
    body[40] = (body[40] ?? 0) ^ 1;
    await writeFile(join(folder, packName(soundKey, snapshotAt(1), 0, 0)), body);
    const damagedOut = aFolder();
    const damaged = await vaultCommand("export", folder, soundKey, "newest", "--out", damagedOut);
    expect(damaged.code).toBe(1);
    expect(damaged.err).toContain("item 1/0/0");
    expect((await readdir(damagedOut)).filter((name) => name.endsWith(".fts"))).toHaveLength(5);
    expect((await vaultCommand("export", folder, soundKey, "newest", "--out", out)).code).toBe(2);
  });
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("vault rebuild", () => {
  /** Two backups, with every kind of change between them that a catalogue records. */
  const aBackedUpMailbox = async () => {
    const kit = await aMailboxInGraph({ items: 45, layout: "typical", userFolders: 2 });
    const { admin, mailbox, vault, work } = kit;
    const ports = { graphUrl: kit.emulator.graphUrl, token: "emulator-token", vault, work };
    const backUp = async () => (await runBackup(ports, mailbox)).snapshotId;
    await admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 5, bytes: 200 });
    const first = await backUp();
    const [removed, moved, changed] = await kit.items("inbox");
    await admin["remove-item"]({ mailbox: mailbox.id, item: removed?.id ?? "" });
    await admin["move-item"]({ mailbox: mailbox.id, item: moved?.id ?? "", folder: "archive" });
    await admin["change-item"]({ mailbox: mailbox.id, item: changed?.id ?? "", bytes: 2_500 });
    await admin["remove-folder"]({ mailbox: mailbox.id, folder: "user-0" });
    const { id: folder } = await admin["create-folder"]({ mailbox: mailbox.id, parent: "inbox", displayName: "50% /" });
    await admin["create-items"]({ mailbox: mailbox.id, folder, count: 3, bytes: 100 });
    return { vault, key: mailbox.key, snapshots: [first, await backUp()] };
  };

  /** Every line that `ls` prints of a vault's folders and items. */
  const listing = async (folder: string, key: string, snapshots: readonly string[]): Promise<string[]> => {
    const lines: string[] = [];
    for (const snapshot of snapshots) {
      const paths = (await vaultCommand("ls", folder, key, snapshot)).lines;
      for (const line of paths) {
        const items = await vaultCommand("ls", folder, key, snapshot, line.split("\t")[0] ?? "");
        lines.push(line, ...items.lines.toSorted());
      }
    }
    return lines;
  };

  test("restores the listing of every snapshot after the loss of all catalogue blobs", async () => {
    const { vault, key, snapshots } = await aBackedUpMailbox();
    const source = await onDisk(vault);
    const before = await listing(source, key, snapshots);
    for (const name of ["catalog", "snapshots", "head.json"]) await rm(join(source, key, name), { recursive: true });
    const target = aFolder();
    const rebuilt = await vaultCommand("rebuild", source, "--out", target);
    await onDisk(onlyPacks(vault), target);

    expect(rebuilt).toMatchObject({ code: 0, err: "" });
    expect(await listing(target, key, snapshots)).toEqual(before);
    expect(before.length).toBeGreaterThan(80);
    expect(await vaultCommand("verify", target)).toMatchObject({ code: 0, out: "" });
  });

  test("says what it could not know: a lost pack of folders and removals, or a run that may have had one", async () => {
    const { vault, key, snapshots } = await aBackedUpMailbox();
    const [first = "", second = ""] = snapshots;
    const lost = packName(key, second, RECORDS_CHUNK, 0);
    vault.blobs.delete(lost);
    const source = await onDisk(vault);
    const told = await vaultCommand("rebuild", source, "--out", aFolder());
    expect(told).toMatchObject({ code: 1, err: expect.stringContaining(`${lost} is missing`) });
    expect(await vaultCommand("verify", source)).toMatchObject({ code: 1, out: expect.stringContaining(lost) });

    for (const name of ["catalog", "snapshots", "head.json"]) await rm(join(source, key, name), { recursive: true });
    const untold = await vaultCommand("rebuild", source, "--out", aFolder());
    expect(untold).toMatchObject({ code: 0, err: expect.stringContaining(`1 runs, the first of them ${second}`) });
    expect(untold.err).not.toContain(first);
  });

  test("takes facts that packs do not have from undamaged manifests", async () => {
    const vault = await aSoundVault();
    for (const name of [...vault.blobs.keys()]) if (name.includes("/catalog/")) await vault.remove(name);
    const target = aFolder();
    expect((await vaultCommand("rebuild", await onDisk(vault), "--out", target)).code).toBe(0);

    expect((await vaultCommand("ls", target)).out).toContain("Ada Berg");
    expect((await vaultCommand("ls", target, soundKey, "newest")).lines).toEqual([expect.stringMatching(/^Inbox\t6/)]);
    expect(await readFile(join(target, soundKey, "snapshots", `${snapshotAt(0)}.manifest.json`), "utf8")).not.toContain(
      "deltaLink",
    );
  });

  test("overwrites nothing, and reports packs that it cannot read", async () => {
    const vault = await aSoundVault();
    const source = await onDisk(vault);
    const refused = await vaultCommand("rebuild", source, "--out", source);
    await writeFile(join(source, pack), "no pack any more");
    const rebuilt = await vaultCommand("rebuild", source, "--out", aFolder());

    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("there already") });
    expect(rebuilt).toMatchObject({ code: 1, err: expect.stringContaining(pack) });
    for (const [name, { body }] of vault.blobs)
      if (name !== pack) expect(await readFile(join(source, name))).toEqual(body);
  });
});

const onlyPacks = (vault: SoundVault): SoundVault => {
  const packs = memoryBlobs();
  for (const [name, stored] of vault.blobs) if (name.endsWith(".zip")) packs.blobs.set(name, stored);
  return packs;
};

describe("vault", () => {
  test.each<[string[], RegExp]>([
    [[], /Unknown command/],
    [["prune", "."], /Unknown command 'prune'/],
    [["verify"], /needs more arguments/],
    [["verify", ".", "a", "b"], /takes no 'b'/],
    [["verify", ".", "--fast"], /--fast/],
    [["verify", ".", "--out", "x"], /takes no --out/],
    [["rebuild", "."], /needs --out/],
    [["ls", "/nowhere/at/all"], /is not a folder/],
    [["ls", "https://account.blob.core.windows.net/"], /should be that of a container/],
    [["ls", ".", "nobody"], /no mailbox nobody/],
  ])("exits with 2 and one line for %j", async (args, line) => {
    const { code, out, err } = await vaultCommand(...args);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.trimEnd().split("\n")).toEqual([expect.stringMatching(line)]);
  });

  test("prints its usage", async () => {
    const { code, out } = await vaultCommand("--help");

    expect(code).toBe(0);
    for (const command of ["verify", "ls", "cat", "export", "rebuild"]) expect(out).toContain(`  ${command} VAULT`);
  });
});

describe("a folder of blobs", () => {
  test("lists the same names as a container, in the same order", async () => {
    const names = ["a-b", "a/b/c", "a/b-c", "a/b.c", "a/bc", "b", "a0"];
    const memory = memoryBlobs();
    for (const name of names) await memory.create(name, Buffer.from(name));
    const disk = directoryBlobs(await onDisk(memory));

    for (const prefix of ["", "a", "a/", "a/b", "a/b/", "none/"]) {
      const namesIn = async (blobs: Blobs) => (await all(blobs.list(prefix))).map(({ name }) => name);
      expect(await namesIn(disk)).toEqual(await namesIn(memory));
      expect((await all(disk.listFolders(prefix))).toSorted()).toEqual(await all(memory.listFolders(prefix)));
    }
    expect(await disk.read("a/b")).toBeUndefined();
    expect(await disk.info("a-b/c")).toBeUndefined();
    expect(await disk.readWhole("none")).toBeUndefined();
  });

  test("adds blobs, and never changes one", async () => {
    const disk = directoryBlobs(await onDisk(await aSoundVault()));

    expect(await disk.create("new/blob", Buffer.from("1"))).toBe("created");
    expect(await disk.create("new/blob", Buffer.from("2"))).toBe("exists");
    expect(await disk.replace("new/blob", Buffer.from("3"), undefined)).toBe(false);
    await expect(async () => disk.replace("new/blob", Buffer.from("4"), "any")).rejects.toThrow("only read");
    await expect(async () => disk.remove("new/blob")).rejects.toThrow("only read");
    expect((await disk.readWhole("new/blob"))?.body.toString()).toBe("1");
  });
});
