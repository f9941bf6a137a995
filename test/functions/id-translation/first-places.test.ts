import fc from "fast-check";
import { expect, test } from "vitest";
import { firstPlaces } from "../../../functions/id-translation/first-places.ts";

test("each id is told the place where it was seen first", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 60 }), (numbers) => {
      const places = firstPlaces();
      const seen = numbers.map((n, position) => places.see(`AAMkAD${n}`, position));
      expect(seen).toEqual(numbers.map((n, at) => (numbers.indexOf(n) < at ? numbers.indexOf(n) : undefined)));
    }),
  );
});

test("nothing is forgotten when there are more than its first table holds", () => {
  const places = firstPlaces();
  const ids = Array.from({ length: 5_000 }, (_, n) => `id ${n}`);

  expect(ids.filter((id, n) => places.see(id, n) !== undefined)).toEqual([]);
  expect(ids.filter((id, n) => places.see(id, ids.length + n) !== n)).toEqual([]);
});
