import { describe, expect, test } from "vitest";
import { parseSchedule } from "../../../../local/host/triggers/schedule.ts";

const next = (text: string, after: string) => new Date(parseSchedule(text).next(Date.parse(after))).toISOString();

describe("parseSchedule", () => {
  test.each([
    ["0 30 1 * * *", "2026-11-22T01:30:00Z", "2026-11-23T01:30:00.000Z"],
    ["*/10 * * * * *", "2026-11-22T00:00:09.999Z", "2026-11-22T00:00:10.000Z"],
    ["0 */5 * * * *", "2026-11-22T00:04:59Z", "2026-11-22T00:05:00.000Z"],
    ["0 0 9-17 * * MON-FRI", "2026-11-20T17:00:00Z", "2026-11-23T09:00:00.000Z"],
    ["0 0 0 13 * FRI", "2026-11-22T00:00:00Z", "2027-08-13T00:00:00.000Z"],
    ["30 1 * * *", "2026-11-22T01:30:00Z", "2026-11-23T01:30:00.000Z"],
    ["0 0 0 29 2 *", "2026-11-22T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["1.00:00:00", "2026-11-22T01:30:00Z", "2026-11-23T01:30:00.000Z"],
    ["00:00:30", "2026-11-22T01:30:00Z", "2026-11-22T01:30:30.000Z"],
  ])("%s after %s is %s", (text, after, expected) => {
    expect(next(text, after)).toBe(expected);
  });

  test.each(["", "* * * *", "@daily", "0 0 0 L * *", "0 0 0 ? * *", "0 61 * * * *", "00:00:00", "0 0 0 * * MON#1"])(
    "refuses %j",
    (text) => {
      expect(() => parseSchedule(text)).toThrow();
    },
  );
});
