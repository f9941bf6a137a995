import { expect, test } from "vitest";
import { byteRange } from "../../../shared/http/byte-range.ts";

test.each<[header: string | null, size: number, range: unknown]>([
  ["bytes=0-0", 10, { offset: 0, length: 1 }],
  ["bytes=2-5", 10, { offset: 2, length: 4 }],
  ["bytes=2-", 10, { offset: 2, length: 8 }],
  ["bytes=2-100", 10, { offset: 2, length: 8 }],
  ["bytes=-3", 10, { offset: 7, length: 3 }],
  ["bytes=-30", 10, { offset: 0, length: 10 }],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=10-12", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  [null, 10, undefined],
  ["bytes=5-2", 10, undefined],
  ["bytes=0-1,4-5", 10, undefined],
  ["bytes=", 10, undefined],
  ["bytes=-", 10, undefined],
  ["bytes=x-1", 10, undefined],
  ["lines=0-1", 10, undefined],
  ["bytes=99999999999999999999-", 10, undefined],
])("the range %j of %i bytes is %j", (header, size, range) => {
  expect(byteRange(header, size)).toEqual(range);
});
