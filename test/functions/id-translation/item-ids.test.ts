import { expect, test } from "vitest";
import { itemIds } from "../../../functions/id-translation/item-ids.ts";

test("items match by REST or EWS id, and by exact case", () => {
  const ids = itemIds(["AAMkAD-x_y=", "AAMkAD/z+1="]);

  expect(["AAMkAD/x+y=", "AAMkAD-z_1=", "AAMkAD/z+1="].map(ids.has)).toEqual([true, true, true]);
  expect(["aamkad-x_y=", "AAMkAD-z"].map(ids.has)).toEqual([false, false]);
});

test("unmatched ids are returned by position, a repeated one with all of its positions", () => {
  const ids = itemIds(["a", "b", "c", "b"]);
  ids.has("a");

  expect(ids.unmatched()).toEqual([1, 2, 3]);
  ids.has("b");
  expect(ids.unmatched()).toEqual([2]);
});
