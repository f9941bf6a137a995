import fc from "fast-check";
import { expect, test } from "vitest";
import { firstPositions } from "../../../functions/id-translation/first-positions.ts";

test("each repeated id returns its first position", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 60 }), (numbers) => {
      const positions = firstPositions();
      const found = numbers.map((n, position) => positions.add(`AAMkAD${n}`, position));
      expect(found).toEqual(numbers.map((n, at) => (numbers.indexOf(n) < at ? numbers.indexOf(n) : undefined)));
    }),
  );
});

test("no id is lost when the table grows", () => {
  const positions = firstPositions();
  const ids = Array.from({ length: 5_000 }, (_, n) => `id ${n}`);

  expect(ids.filter((id, n) => positions.add(id, n) !== undefined)).toEqual([]);
  expect(ids.filter((id, n) => positions.add(id, ids.length + n) !== n)).toEqual([]);
});
