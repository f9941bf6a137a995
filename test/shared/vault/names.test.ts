import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  PackName,
  packName,
  parseVaultName,
  partName,
  type VaultName,
  vaultName,
} from "../../../shared/vault/names.ts";
import { aKey, aSnapshot } from "./samples.ts";

const base32 = (length: number) => fc.stringMatching(new RegExp(`^[a-z2-7]{${length}}$`));
const mailboxKey = base32(26);
const snapshotId = fc.tuple(fc.stringMatching(/^\d{8}T\d{6}Z$/), base32(6)).map((pieces) => pieces.join("-"));
const number = fc.nat(999_999_999);
const aName: fc.Arbitrary<VaultName> = fc.oneof(
  fc.record({ kind: fc.constant("head" as const), mailboxKey }),
  fc.record({ kind: fc.constant("manifest" as const), mailboxKey, snapshotId }),
  fc.record({ kind: fc.constant("base" as const), mailboxKey, snapshotId }),
  fc.record({
    kind: fc.constant("part" as const),
    mailboxKey,
    snapshotId,
    part: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/),
  }),
  fc.record({ kind: fc.constant("pack" as const), mailboxKey, snapshotId, chunk: number, batch: number }),
);

describe("vault names", () => {
  test("are read back as what they were built from", () => {
    fc.assert(
      fc.property(aName, (name) => {
        expect(parseVaultName(vaultName(name))).toEqual(name);
      }),
    );
  });

  test("have one spelling each: a parsed name is built again to the same text", () => {
    fc.assert(
      fc.property(aName, fc.nat(), fc.string({ maxLength: 2 }), (name, at, change) => {
        const text = vaultName(name);
        const cut = at % text.length;
        const altered = text.slice(0, cut) + change + text.slice(cut + 1);
        const parsed = parseVaultName(altered);
        if (parsed) expect(vaultName(parsed)).toBe(altered);
      }),
    );
  });

  test.each([
    "",
    "head.json",
    `${aKey}/../${aKey}/head.json`,
    `${aKey}/head.json\n`,
    `${aKey}/head.json.bak`,
    `${aKey.toUpperCase()}/head.json`,
    `/${aKey}/head.json`,
    `${aKey}/packs/${aSnapshot}/c01-b0.zip`,
    `${aKey}/packs/${aSnapshot}/c-1-b0.zip`,
    `${aKey}/packs/../c1-b0.zip`,
    `${aKey}/catalog/${aSnapshot}/...jsonl.gz`,
    `${aKey}/catalog/${aSnapshot}/a/b.jsonl.gz`,
  ])("refuse %j", (text) => {
    expect(parseVaultName(text)).toBeUndefined();
    expect(PackName.safeParse(text).success).toBe(false);
  });

  test("cannot be built from pieces that lead elsewhere", () => {
    expect(() => partName(aKey, aSnapshot, "../x")).toThrow("not a vault name");
    expect(() => packName("..", aSnapshot, 0, 0)).toThrow("not a vault name");
    expect(() => packName(aKey, aSnapshot, -1, 0)).toThrow("not a vault name");
    expect(() => packName(aKey, aSnapshot, 1.5, 0)).toThrow("not a vault name");
  });
});
