import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Manifest, manifestBytes, manifestSha256 } from "../../../shared/vault/manifest.ts";
import { merkleRoot } from "../../../shared/vault/merkle.ts";
import { aKey, aManifest, aSnapshot } from "./samples.ts";

const sha256 = (...pieces: (string | Buffer)[]): Buffer => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
};
const hashes = ["a", "b", "c"].map((text) => sha256(text).toString("hex"));
const aPart = (name: string, hash: string) => ({ name, sha256: hash, bytes: 1, records: 1 });

describe("merkle root", () => {
  const leaf = (n: number): Buffer => sha256("\u0000", Buffer.from(hashes[n] ?? "", "hex"));
  const node = (left: Buffer, right: Buffer): Buffer => sha256("\u0001", left, right);

  test.each([
    [0, sha256("")],
    [1, leaf(0)],
    [2, node(leaf(0), leaf(1))],
    [3, node(node(leaf(0), leaf(1)), leaf(2))],
  ])("of %i parts is the tree hash of RFC 6962", (count, expected) => {
    expect(merkleRoot(hashes.slice(0, count))).toBe(expected.toString("hex"));
  });

  test("differs for any two different lists of parts", () => {
    const list = fc.array(fc.constantFrom(...hashes), { maxLength: 9 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        expect(merkleRoot(a) === merkleRoot(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});

describe("manifest", () => {
  test("has the same bytes for any order of its fields", () => {
    const manifest = aManifest({ user: { id: "u", displayName: "Adele" } });
    const reversed = Object.fromEntries(Object.entries(manifest).reverse()) as Manifest;

    expect(manifestBytes(reversed)).toEqual(manifestBytes(manifest));
    expect(manifestBytes(manifest).toString()).toMatch(/^\{"base":true,"counts":\{"failed":0,/);
    expect(Manifest.parse(JSON.parse(manifestBytes(manifest).toString()))).toEqual(manifest);
  });

  test("has the SHA-256 of its bytes", () => {
    const bytes = manifestBytes(aManifest());
    expect(manifestSha256(bytes)).toBe(sha256(bytes).toString("hex"));
  });

  test.each([
    ["a root that is not its parts'", aManifest({ root: merkleRoot(hashes) })],
    ["neither a base nor a parent", aManifest({ base: false })],
    [
      "a part of another mailbox",
      aManifest({ parts: [aPart(`${"a".repeat(26)}/catalog/${aSnapshot}/p.jsonl.gz`, merkleRoot([]))] }),
    ],
    ["a part whose name leads elsewhere", aManifest({ parts: [aPart(`${aKey}/../p.jsonl.gz`, merkleRoot([]))] })],
  ])("is refused with %s", (_, manifest) => {
    expect(Manifest.safeParse(manifest).success).toBe(false);
  });
});
