import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { Head } from "../../../shared/vault/head.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { Manifest, manifestBytes, manifestSha256 } from "../../../shared/vault/manifest.ts";
import { merkleRoot } from "../../../shared/vault/merkle.ts";
import { parseVaultName } from "../../../shared/vault/names.ts";
import { CatalogueRecord } from "../../../shared/vault/records.ts";
import { summedJson } from "../../../shared/vault/summed-json.ts";

const page = await readFile(new URL("../../../docs/vault-format.md", import.meta.url), "utf8");
const example = page.slice(page.indexOf("## Worked example"));
const blocks = [...example.matchAll(/```json\n(.*?)```/gs)].map(([, text = ""]) => text);
const [
  headText = "",
  newestText = "",
  newestFolders = "",
  newestOthers = "",
  parentText = "",
  parentFolders = "",
  parentOthers = "",
] = blocks;

const head = Head.parse(JSON.parse(headText));
const [newest, parent] = [newestText, parentText].map((text) => Manifest.parse(JSON.parse(text))) as [
  Manifest,
  Manifest,
];
const recordsOf = (lines: string) =>
  lines
    .trimEnd()
    .split("\n")
    .map((line) => CatalogueRecord.parse(JSON.parse(line)));

describe("the example in the vault's format", () => {
  test("is a chain of hashes from the head to the first snapshot", () => {
    expect(head.newest?.manifestSha256).toBe(manifestSha256(manifestBytes(newest)));
    expect(newest.parent).toEqual({ id: parent.id, sha256: manifestSha256(manifestBytes(parent)) });
  });

  test("has the checksums that the program would write", () => {
    for (const [text, value] of [
      [headText, head],
      [newestText, newest],
      [parentText, parent],
    ] as const)
      expect(JSON.parse(text)).toEqual(JSON.parse(summedJson(value).toString()));
  });

  test("pins its parts by the root of each manifest", () => {
    for (const { parts, root } of [newest, parent]) expect(root).toBe(merkleRoot(parts.map(({ sha256 }) => sha256)));
  });

  test("has the records that its manifests count", () => {
    const written = [newestFolders, newestOthers, parentFolders, parentOthers].map(recordsOf);
    expect(written.map((records) => records.map(({ op }) => op))).toEqual([
      ["folder"],
      ["remove"],
      ["folder"],
      ["put", "put"],
    ]);
    const parts = [newest, parent].flatMap((manifest) => manifest.parts);
    expect(parts.map(({ records, folders }) => [records, folders])).toEqual(
      written.map((records) => [records.length, records.some(({ op }) => op === "folder") || undefined]),
    );
  });

  test("names every part whose records it shows", () => {
    const shown = [...example.matchAll(/gunzip -c …\/(\S+)`/g)].map(([, name]) => name);
    const parts = [newest, parent].flatMap((manifest) => manifest.parts.map(({ name }) => name));
    expect(parts.map((name) => name.slice(name.indexOf("catalog/") + "catalog/".length))).toEqual(shown);
  });

  test("is of version 2, and says whose mailbox it was", () => {
    expect([newest, parent].map(({ v, user }) => [v, user?.primaryAddress])).toEqual(
      Array.from({ length: 2 }, () => [2, head.user?.primaryAddress]),
    );
  });

  test("names every blob as the program would", () => {
    const names = example.match(/^[a-z2-7]{26}\/\S+$/gm) ?? [];
    expect(names.map((name) => parseVaultName(name)?.kind)).toEqual([
      "head",
      "manifest",
      "manifest",
      "part",
      "part",
      "part",
      "part",
      "pack",
      "pack",
      "pack",
    ]);
    expect(mailboxKey(head.mailboxId)).toBe(head.mailboxKey);
  });
});
