import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashTable, hashWords } from "../../shared/hash-table.ts";

const keyOf = (name: string, words: number) => hashWords(createHash("sha256").update(name).digest(), words);

describe("a table of hashes", () => {
  test("has the same entries as a map, for any entries in any order", () => {
    const entries = fc.array(fc.tuple(fc.nat(400), fc.nat()), { maxLength: 3_000 });
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 4 }), (added, keyWords) => {
        const table = hashTable({ keyWords, valueWords: 1 });
        const model = new Map<number, number>();
        for (const [name, value] of added) {
          const before = table.add([...keyOf(`${name}`, keyWords), value]);
          expect(before?.[keyWords]).toBe(model.get(name));
          if (!model.has(name)) model.set(name, value);
        }
        expect(table.size).toBe(model.size);
        for (let name = 0; name <= 400; name += 1) {
          expect(table.has(keyOf(`${name}`, keyWords))).toBe(model.has(name));
          expect(table.get(keyOf(`${name}`, keyWords))?.[keyWords]).toBe(model.get(name));
        }
      }),
      { numRuns: 20 },
    );
  });

  test("grows without losing an entry", () => {
    const table = hashTable({ keyWords: 2 });
    const names = Array.from({ length: 20_000 }, (_, n) => keyOf(`item ${n}`, 2));
    for (const name of names) table.add(name);

    expect(table.size).toBe(names.length);
    expect(names.every((name) => table.has(name))).toBe(true);
  });

  test("takes a hash that begins with zeros", () => {
    const table = hashTable({ keyWords: 2 });
    table.add(hashWords(Buffer.alloc(8), 2));

    expect(table.size).toBe(1);
    expect(table.has(hashWords(Buffer.alloc(8), 2))).toBe(true);
  });
});
