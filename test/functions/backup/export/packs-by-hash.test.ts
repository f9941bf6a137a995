import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { packsByHash } from "../../../../functions/backup/export/packs-by-hash.ts";
import { packName } from "../../../../shared/vault/names.ts";
import { aKey, aSnapshot } from "../../../shared/vault/samples.ts";

const hashOf = (n: number): string => createHash("sha256").update(`item ${n}`).digest("hex");
const packOf = (n: number): string => packName(aKey, aSnapshot, 0, Math.floor(n / 20));

describe("packs by the hashes of what is in them", () => {
  test("are found for nearly every item, and never for another", () => {
    const packs = packsByHash();
    for (let n = 0; n < 50_000; n += 1) packs.add(packOf(n), hashOf(n));

    const found = Array.from({ length: 60_000 }, (_, n) => packs.packOf(hashOf(n)));
    const right = found.slice(0, 50_000).filter((pack, n) => pack === packOf(n));
    expect(right.length).toBeGreaterThan(49_990);
    expect(found.slice(50_000).filter((pack) => pack !== undefined).length).toBeLessThan(10);
  });

  test("are those that were added first where several have the same bytes", () => {
    const packs = packsByHash();
    packs.add(packOf(0), hashOf(1));
    packs.add(packOf(20), hashOf(1));

    expect(packs.packOf(hashOf(1))).toBe(packOf(0));
  });
});
