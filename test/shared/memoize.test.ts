import { expect, test } from "vitest";
import { memoize } from "../../shared/memoize.ts";

test("memoize calls once for each key, also while the first call is under way", async () => {
  const asked: string[] = [];
  const look = memoize(async (key) => {
    asked.push(key);
    if (key === "bad") throw new Error("no such key");
    return key.toUpperCase();
  });

  expect(await Promise.all([look("a"), look("b"), look("a")])).toEqual(["A", "B", "A"]);
  await expect(look("bad")).rejects.toThrow("no such key");
  await expect(look("bad")).rejects.toThrow("no such key");
  expect(asked).toEqual(["a", "b", "bad"]);
});
