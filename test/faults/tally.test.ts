import { describe, expect, test } from "vitest";
import { FaultRule } from "../../local/graph/faults.ts";
import { randomFrom } from "./random.ts";
import { type ReportedItem, tally } from "./tally.ts";
import { KINDS, troubleFor } from "./trouble.ts";

const failed = (id: string): ReportedItem => ({ id, outcome: "failed", code: "no-answer" });

describe("what a restore under faults came to", () => {
  test.each([
    ["ab", "ba", [], { restored: 2, lost: 0, doubled: 0 }],
    ["ab", "a", [], { restored: 1, lost: 1, doubled: 0 }],
    ["ab", "a", [failed("1")], { restored: 1, lost: 0, doubled: 0, reported: 1 }],
    ["ab", "aab", [], { restored: 2, lost: 0, doubled: 1 }],
    ["aab", "abb", [failed("0")], { restored: 2, lost: 0, doubled: 1 }],
    ["aa", "aa", [], { restored: 2, lost: 0, doubled: 0 }],
    ["a", "ax", [], { restored: 1, lost: 0, doubled: 1 }],
  ])("wanted %j, there %j, reported %j: %o", (wanted, there, report, expected) => {
    const items = [...wanted].map((sha256, n) => ({ id: String(n), sha256 }));
    expect(tally(items, [...there], report)).toMatchObject(expected);
  });

  test.each<[string, ReportedItem, number]>([
    ["another item is reported", failed("0"), 1],
    ["it failed for no reason", { id: "1", outcome: "failed" }, 1],
    ["it is missing though it was imported", { id: "1", outcome: "missing" }, 1],
    ["it is ambiguous", { id: "1", outcome: "ambiguous" }, 0],
    ["the restore was cancelled before it", { id: "1", outcome: "missing", code: "cancelled" }, 0],
    ["the restore failed before it", { id: "1", outcome: "missing", code: "failed" }, 1],
  ])("an item that is not there, where %s: %o, counts as lost %i times", (_, outcome, lost) => {
    const items = ["a", "b"].map((sha256, n) => ({ id: String(n), sha256 }));
    expect(tally(items, ["a"], [outcome])).toMatchObject({ lost });
  });
});

test.each<[string, ReportedItem[], number]>([
  ["names neither", [], 2],
  ["names one", [{ id: "0", outcome: "surplus", lookAt: ["x"] }], 1],
  ["names both", [{ id: "0", outcome: "surplus", lookAt: ["x", "y"] }], 0],
  ["names those of another item", [{ id: "1", outcome: "surplus", lookAt: ["x", "y"] }], 2],
])("of two copies too many, a report that %s leaves some unnamed", (_, report, unnamed) => {
  const items = ["a", "b"].map((sha256, n) => ({ id: String(n), sha256 }));
  expect(tally(items, ["a", "a", "a", "b"], report)).toMatchObject({ doubled: 2, unnamed });
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

describe("the trouble of many seeds", () => {
  const troubles = Array.from({ length: 200 }, (_, seed) => troubleFor(randomFrom(seed + 1), "MBX:1")).flat();

  test("has every kind in it", () => {
    expect(new Set(troubles.map(({ name }) => name))).toEqual(new Set(KINDS.map(([name]) => name)));
  });

  test("is of rules that the emulator takes", () => {
    for (const { rules } of troubles) for (const rule of rules) FaultRule.parse(rule);
  });
});
