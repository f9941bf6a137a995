import { expect, test } from "vitest";
import { itemIds } from "../../../functions/id-translation/item-ids.ts";

test("items are known by REST and EWS ids alike, and by exact case", () => {
  const ids = itemIds(["AAMkAD-x_y=", "AAMkAD/z+1="]);

  expect(["AAMkAD/x+y=", "AAMkAD-z_1=", "AAMkAD/z+1="].map(ids.has)).toEqual([true, true, true]);
  expect(["aamkad-x_y=", "AAMkAD-z"].map(ids.has)).toEqual([false, false]);
});

test("the positions of ids that nothing bore are told, a repeated one at each of them", () => {
  const ids = itemIds(["a", "b", "c", "b"]);
  ids.has("a");

  expect(ids.unmet()).toEqual([1, 2, 3]);
  ids.has("b");
  expect(ids.unmet()).toEqual([2]);
});
