import { describe, expect, test } from "vitest";
import type { Row } from "../../bench/measurement.ts";
import { cells, resultOf, unmeasured } from "../../bench/result.ts";

const aRow = (row: Partial<Row> = {}): Row => ({ name: "a row", unit: "s", better: "lower", ...row });

describe("a result", () => {
  test.each([
    ["lower", 60, 60, true],
    ["lower", 60, 60.01, false],
    ["higher", 0.95, 0.95, true],
    ["higher", 0.95, 0.9499, false],
    ["lower", 0, 0, true],
    ["lower", 0, 1, false],
  ] as const)("with the target %s %d is, at %d, ok: %s", (better, target, value, ok) => {
    expect(resultOf(aRow({ better, target }), value)).toEqual({ name: "a row", unit: "s", better, target, value, ok });
  });

  test("without a target is ok once it is measured", () => {
    expect(resultOf(aRow(), 7)).toMatchObject({ value: 7, target: null, ok: true });
  });

  test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY])(
    "that is %s was not measured, and is not ok",
    (value) => {
      expect(resultOf(aRow(), value)).toMatchObject({ value: null, ok: false, note: "was not measured" });
    },
  );

  test("notes why it was not measured", () => {
    expect(unmeasured(aRow({ target: 3 }), "no such file")).toMatchObject({
      value: null,
      target: 3,
      ok: false,
      note: "no such file",
    });
  });
});

test("the table shows values short, targets with their direction, and what was missed", () => {
  const results = [
    resultOf(aRow({ better: "higher", unit: "", target: 0.95 }), 0.912345),
    resultOf(aRow({ unit: "items/s" }), 12345.6),
    unmeasured(aRow({ target: 2 }), "why"),
  ];
  expect(cells(results).slice(1)).toEqual([
    ["a row", "0.912", "≥ 0.95", "MISSED"],
    ["a row", "12,346 items/s", "", ""],
    ["a row", "not measured", "≤ 2 s", "MISSED"],
  ]);
});
