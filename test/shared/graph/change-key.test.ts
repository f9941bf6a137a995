import { expect, test } from "vitest";
import { isSameVersion, shortChangeKey } from "../../../shared/graph/change-key.ts";

// The forms of the documented samples: 22 bytes in the answer to an import, 8 bytes more in a listing.
const SHORT = Buffer.from(Array.from({ length: 22 }, (_, n) => n + 1)).toString("base64");
const longOf = (short: string): string =>
  Buffer.concat([Buffer.from("0900000016000000", "hex"), Buffer.from(short, "base64")]).toString("base64");

test("one version has two forms of its change key", () => {
  expect(shortChangeKey(longOf(SHORT))).toBe(SHORT);
  expect(shortChangeKey(SHORT)).toBe(SHORT);
  expect(isSameVersion(SHORT, longOf(SHORT))).toBe(true);
  expect(isSameVersion(longOf(SHORT), SHORT)).toBe(true);
});

test("other versions, and keys of forms that nobody knows, are told apart as they are", () => {
  const other = Buffer.alloc(22, 7).toString("base64");
  expect(isSameVersion(longOf(SHORT), longOf(other))).toBe(false);
  expect(isSameVersion("ck-1", "ck-1")).toBe(true);
  expect(isSameVersion("ck-1", "ck-2")).toBe(false);
});
