import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runId, runStart } from "../../../shared/contracts/ids.ts";
import { RetentionPolicy } from "../../../shared/retention-policy.ts";
import { keepReasons } from "../../../shared/vault/retention.ts";

const at = (time: string): string => runId(new Date(time), "0".repeat(8));
const days = (first: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) =>
    at(new Date(Date.parse(`${first}T01:00:00Z`) + n * 86_400_000).toISOString()),
  );

/** The snapshots that are kept, by their day, newest first, with the reasons. */
const staying = (ids: readonly string[], policy: string): [day: string, ...reasons: string[]][] =>
  [...keepReasons(ids, RetentionPolicy.parse(policy))]
    .toSorted(([a], [b]) => (a < b ? 1 : -1))
    .map(([id, reasons]) => [
      runStart(id).toISOString().slice(0, 10),
      ...reasons.filter((reason) => reason !== "newest"),
    ]);

describe("keepReasons", () => {
  test("keeps the given number of last ones", () => {
    expect(staying(days("2026-11-01", 9), "last=2")).toEqual([
      ["2026-11-09", "last 1"],
      ["2026-11-08", "last 2"],
    ]);
  });

  test("keeps the newest of each day, week, month and year, by independent rules", () => {
    const nightly = days("2024-12-25", 500);

    expect(staying(nightly, "daily=2,weekly=3,monthly=2,yearly=2")).toEqual([
      ["2026-05-08", "daily 1", "weekly 1", "monthly 1", "yearly 1"],
      ["2026-05-07", "daily 2"],
      ["2026-05-03", "weekly 2"],
      ["2026-04-30", "monthly 2"],
      ["2026-04-26", "weekly 3"],
      ["2025-12-31", "yearly 2"],
    ]);
  });

  test("counts only periods that have a snapshot, and ends weeks on Sundays in UTC", () => {
    const ids = ["2026-01-04T23:59:59Z", "2026-01-05T00:00:00Z", "2026-03-01T12:00:00Z"].map(at);

    expect(staying(ids, "weekly=3").map(([day]) => day)).toEqual(["2026-03-01", "2026-01-05", "2026-01-04"]);
  });

  test("counts the last days of a year and the first of the next as one week", () => {
    const ids = ["2026-12-28T01:00:00Z", "2026-12-31T01:00:00Z", "2027-01-03T01:00:00Z", "2027-01-04T01:00:00Z"].map(
      at,
    );

    expect(staying(ids, "weekly=2").map(([day]) => day)).toEqual(["2027-01-04", "2027-01-03"]);
  });

  test("keeps the oldest as well while a rule's number is not used up", () => {
    expect(staying(days("2026-11-01", 3), "monthly=4")).toEqual([
      ["2026-11-03", "monthly 1"],
      ["2026-11-01", "oldest monthly"],
    ]);
  });

  test.each([
    ["within=2d", 2],
    ["within=49h", 3],
    ["within=1m", 31],
    ["within=1y1m", 45],
  ])("keeps what is younger than %s before the newest, not before now", (policy, count) => {
    expect(staying(days("2026-10-01", 45), policy)).toHaveLength(count);
  });

  test("keeps the newest under any policy, and none when there is none", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.date({ min: new Date("2020-01-01"), max: new Date("2040-01-01"), noInvalidDate: true }), {
          maxLength: 20,
        }),
        fc.constantFrom("last=1", "daily=3", "yearly=1,within=1h"),
        (times, policy) => {
          const ids = times.map((time) => runId(time, "00000000"));
          const stays = keepReasons(ids, RetentionPolicy.parse(policy));
          const newest = ids.toSorted().at(-1);

          expect(newest === undefined ? stays.size : stays.has(newest)).toBe(newest === undefined ? 0 : true);
          const again = keepReasons([...stays.keys()], RetentionPolicy.parse(policy));
          expect([...again.keys()].toSorted()).toEqual([...stays.keys()].toSorted());
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("RETENTION", () => {
  test.each([
    ["last=7,daily=30,weekly=12,monthly=24,yearly=7", { last: 7, daily: 30, weekly: 12, monthly: 24, yearly: 7 }],
    [" hourly = 24 , last=1", { hourly: 24, last: 1 }],
  ])("reads %s", (text, counts) => {
    expect(RetentionPolicy.parse(text)).toEqual({ text, counts });
  });

  test("reads spans", () => {
    expect(RetentionPolicy.parse("within=1y6m7d12h").within).toMatchObject({ years: 1, months: 6, days: 7, hours: 12 });
    expect(RetentionPolicy.parse("within=24h,last=1").within).toMatchObject({
      years: 0,
      months: 0,
      days: 0,
      hours: 24,
    });
  });

  test.each([
    "",
    " ",
    ",",
    "last",
    "last=",
    "last=0",
    "last=-1",
    "last=1.5",
    "last=100000",
    "last=7,",
    "last=7,last=8",
    "last=7=8",
    "forever=1",
    "within=",
    "within=0d",
    "within=7",
    "within=7d,within=8d",
    "within=1d1y",
  ])("refuses '%s', which keeps nothing for sure", (text) => {
    expect(RetentionPolicy.safeParse(text).error?.issues[0]?.message).toMatch(/^should keep something/);
  });
});
