import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as z from "zod";
import { runVault } from "../../cli/run.ts";
import { Base } from "../../shared/vault/base.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { readFolders } from "../../shared/vault/folders.ts";
import { Head } from "../../shared/vault/head.ts";
import { Manifest } from "../../shared/vault/manifest.ts";
import { baseName, headName, manifestName, parseVaultName } from "../../shared/vault/names.ts";
import { readItem, readPackIndex } from "../../shared/vault/pack-reader.ts";
import { readPart } from "../../shared/vault/part-reader.ts";
import { listMailboxes, nameSnapshots, readHead, readManifest } from "../../shared/vault/snapshots.ts";
import { summedJson } from "../../shared/vault/summed-json.ts";
import { verifyMailbox } from "../../shared/vault/verify-mailbox.ts";
import { all } from "../shared/vault/samples.ts";
import { aVaultBefore, type VaultBefore, versionsBefore } from "./a-vault-before.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let tmp: string;
beforeAll(async () => {
  tmp = await mkdtemp(join(tmpdir(), "vault-before-"));
});
afterAll(() => rm(tmp, { recursive: true }));

describe.each(await versionsBefore())("a vault that an earlier version wrote: %s", (version) => {
  let before: VaultBefore;
  beforeAll(async () => {
    before = await aVaultBefore(version);
  });

  const eachSnapshot = () =>
    before.mailboxes.flatMap(({ key, snapshots }) => snapshots.map((snapshot) => ({ key, ...snapshot })));

  /** Every item of a snapshot, each read out of its pack and hashed here. */
  const itemsOf = async (key: string, id: string): Promise<string[]> => {
    const { vault } = before;
    const paths = new Map((await readFolders(vault, key, id)).folders.map((folder) => [folder.id, folder.path]));
    const items: string[] = [];
    for await (const record of foldSnapshot(vault, key, id)) {
      const bytes = Buffer.concat(await all(readItem(vault, record)));
      items.push([paths.get(record.folderId), bytes.length, sha256(bytes), record.id].join("\t"));
    }
    return items.toSorted();
  };

  test("has blobs of known names alone", () => {
    const kinds = [...before.vault.blobs.keys()].map((name) => parseVaultName(name)?.kind);

    expect(new Set(kinds)).toEqual(new Set(["head", "manifest", "base", "part", "pack"]));
  });

  test("has the mailboxes, heads and holds that it had", async () => {
    const { vault, mailboxes } = before;

    expect(await all(listMailboxes(vault))).toEqual(mailboxes.map(({ key }) => key));
    for (const { key, mailboxId, user, hold, newest } of mailboxes)
      expect({ hold: null, ...(await readHead(vault, key)) }).toMatchObject({
        mailboxKey: key,
        mailboxId,
        user,
        hold,
        newest,
      });
  });

  test("has the snapshots that it had, each with its parent, counts and folders", async () => {
    const { vault, mailboxes } = before;
    for (const { key, snapshots } of mailboxes) {
      expect(await nameSnapshots(vault, key)).toEqual({
        manifests: snapshots.map(({ id }) => id),
        bases: snapshots.filter(({ hasBase }) => hasBase).map(({ id }) => id),
      });
      for (const { id, base, parent, manifestSha256, state, trigger, counts, folders } of snapshots) {
        const found = await readManifest(vault, key, id);
        expect(found).toMatchObject({ sha256: manifestSha256, manifest: { id, base, parent, state, trigger, counts } });
        const named = (await readFolders(vault, key, id)).folders.map(({ path }) => path);
        expect(named.toSorted()).toEqual(folders);
      }
    }
  });

  test("gives back every item of every snapshot, to the byte", async () => {
    for (const { key, id, items } of eachSnapshot()) expect(await itemsOf(key, id)).toEqual(items);
  });

  test("says which items it left out, and why", async () => {
    for (const { key, id, leftOut } of eachSnapshot()) {
      const parts = (await readManifest(before.vault, key, id))?.manifest.parts ?? [];
      const records = (await Promise.all(parts.map((part) => all(readPart(before.vault, part))))).flat();
      const found = records.flatMap((record) =>
        record.op === "skip" || record.op === "fail"
          ? [{ op: record.op, id: record.id, reason: record.reason, code: record.code }]
          : [],
      );
      expect(found).toEqual(leftOut);
    }
  });

  test("would be written with the same bytes today", async () => {
    const { vault, mailboxes } = before;
    const stored = (name: string): string =>
      vault.blobs.get(name)?.body.toString() ?? expect.fail(`${name} is missing`);
    const again = <T extends object>(name: string, schema: z.ZodType<T>): string =>
      summedJson(schema.parse(JSON.parse(stored(name)))).toString();
    for (const { key, snapshots } of mailboxes) {
      expect(again(headName(key), Head)).toBe(stored(headName(key)));
      for (const { id, hasBase } of snapshots) {
        expect(again(manifestName(key, id), Manifest)).toBe(stored(manifestName(key, id)));
        if (hasBase) expect(again(baseName(key, id), Base)).toBe(stored(baseName(key, id)));
      }
    }
  });

  test("has the records of each batch in its packs", async () => {
    const packs = [...before.vault.blobs.keys()].filter((name) => name.endsWith(".zip"));
    const records = (await Promise.all(packs.map((pack) => readPackIndex(before.vault, pack)))).flat();
    const puts = eachSnapshot().reduce((sum, { counts }) => sum + Number(Object(counts)["put"]), 0);

    expect(records).not.toContain(undefined);
    expect(records.filter((record) => record?.op === "put")).toHaveLength(puts);
  });

  const findings = async (key: string): Promise<string[]> => {
    const found: string[] = [];
    await verifyMailbox(before.vault, key, ({ blob }) => void found.push(blob));
    return found;
  };

  test("is sound, and is not any more with any one byte of any blob flipped", async () => {
    for (const { key } of before.mailboxes) expect(await findings(key)).toEqual([]);

    for (const [name, { body }] of before.vault.blobs) {
      const at = Math.floor(body.length / 2);
      body[at] = (body[at] ?? 0) ^ 1;
      expect(await findings(name.slice(0, name.indexOf("/"))), name).toContain(name);
      body[at] = (body[at] ?? 0) ^ 1;
    }
    for (const { key } of before.mailboxes) expect(await findings(key)).toEqual([]);
  });

  describe("for the operator's command", () => {
    const vaultCommand = async (...args: string[]) => {
      const written = { out: "", err: "" };
      const collecting = (to: "out" | "err") =>
        new Writable({
          write: (piece: Buffer, _encoding, done) => {
            written[to] += piece.toString();
            done();
          },
        });
      return { code: await runVault(args, collecting("out"), collecting("err")), ...written };
    };

    test("is sound", async () => {
      const { dir, mailboxes } = before;
      const counts = `${mailboxes.length} mailboxes, ${eachSnapshot().length} snapshots`;

      expect(await vaultCommand("verify", dir)).toEqual({ code: 0, out: "", err: expect.stringContaining(counts) });
    });

    test("lists mailboxes, snapshots and folders", async () => {
      const { dir, mailboxes } = before;
      const column = (text: string, n = 0) =>
        text
          .trimEnd()
          .split("\n")
          .map((line) => line.split("\t")[n]);

      expect(column((await vaultCommand("ls", dir)).out)).toEqual(mailboxes.map(({ key }) => key));
      for (const { key, snapshots } of mailboxes) {
        expect(column((await vaultCommand("ls", dir, key)).out)).toEqual(snapshots.map(({ id }) => id));
        for (const { id, folders, items } of snapshots) {
          const { out } = await vaultCommand("ls", dir, key, id);
          expect(column(out).toSorted()).toEqual(folders);
          expect(column(out, 1).reduce((sum, count) => sum + Number(count), 0)).toBe(items.length);
        }
      }
    });

    test("exports every item as a file", async () => {
      for (const { key, id, items } of eachSnapshot()) {
        const out = join(tmp, `${version}-${id}`);
        expect(await vaultCommand("export", before.dir, key, id, "--out", out)).toMatchObject({ code: 0, out: "" });

        const rows = (await readFile(join(out, "listing.csv"), "utf8")).trimEnd().split("\r\n").slice(1);
        const files = rows.map((row) => row.slice(0, row.indexOf(",")));
        const hashes = await Promise.all(files.map(async (file) => sha256(await readFile(join(out, file)))));
        expect(hashes.toSorted()).toEqual(items.map((item) => item.split("\t")[2]).toSorted());
      }
    });
  });
});
