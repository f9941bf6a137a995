import { describe, expect, test } from "vitest";
import { randomFrom } from "./random.ts";
import { tally } from "./tally.ts";

describe("what a restore under faults came to", () => {
  test.each([
    [["a", "b"], ["b", "a"], 0, { restored: 2, lost: 0, doubled: 0 }],
    [["a", "b"], ["a"], 0, { restored: 1, lost: 1, doubled: 0 }],
    [["a", "b"], ["a"], 1, { restored: 1, lost: 0, doubled: 0 }],
    [["a", "b"], ["a", "a", "b"], 0, { restored: 2, lost: 0, doubled: 1 }],
    [["a", "a", "b"], ["a", "b", "b"], 1, { restored: 2, lost: 0, doubled: 1 }],
    [["a", "a"], ["a", "a"], 0, { restored: 2, lost: 0, doubled: 0 }],
    [["a"], ["a", "x"], 0, { restored: 1, lost: 0, doubled: 1 }],
  ])("wanted %j, there %j, %i reported: %o", (wanted, there, reported, expected) => {
    expect(tally(wanted, there, reported)).toMatchObject(expected);
  });
});

test("the same seed plays the same numbers, another one others", () => {
  const numbers = (seed: number) => {
    const random = randomFrom(seed);
    return Array.from({ length: 20 }, () => random.number(1, 1_000));
  };

  expect(numbers(7)).toEqual(numbers(7));
  expect(numbers(7)).not.toEqual(numbers(8));
  expect(Math.min(...numbers(7))).toBeGreaterThanOrEqual(1);
});
