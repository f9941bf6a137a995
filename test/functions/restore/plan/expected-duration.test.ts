import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedDuration } from "../../../../functions/restore/plan/expected-duration.ts";

const duration = (items: number, bodyBytes: number, secondsPerRequest = 1, others = 0) =>
  expectedDuration({ items, bodyBytes, others, secondsPerRequest });

describe("expectedDuration", () => {
  test.each([
    ["four slots", duration(4_000, 0), 1_000, "slots"],
    ["slow answers", duration(4_000, 0, 2), 2_000, "slots"],
    [
      "10,000 requests in 10 minutes, without a wait after the last 10,000",
      duration(30_000, 0, 0.1),
      1_450,
      "requests",
    ],
    ["150 MB of bodies in 5 minutes, after the first 150 MB", duration(400, 450_000_000, 0.3), 610, "bytes"],
    ["the limit that pauses longer", duration(15_000, 300_000_000, 0.1), 725, "requests"],
  ] as const)("is bound by %s", (_, found, expectedSeconds, boundBy) => {
    expect(found).toEqual({ expectedSeconds, boundBy });
  });

  test("waits for the next window, also when little is left to send", () => {
    expect(duration(16, 151_000_000)).toEqual({ expectedSeconds: 301, boundBy: "bytes" });
  });

  test("is not bound by a limit when all fits the first window", () => {
    expect(duration(8, 150_000_000)).toEqual({ expectedSeconds: 2, boundBy: "slots" });
    expect(duration(10_000, 0, 0.01)).toEqual({ expectedSeconds: 25, boundBy: "slots" });
  });

  test("is not bound by a limit that the slots never reach", () => {
    expect(duration(3_000, 300_000_000, 1)).toEqual({ expectedSeconds: 750, boundBy: "slots" });
  });

  test("includes the requests that are made one after the other", () => {
    expect(duration(8, 0, 0.5, 10)).toEqual({ expectedSeconds: 6, boundBy: "slots" });
  });

  test("is zero for no items", () => {
    expect(duration(0, 0)).toEqual({ expectedSeconds: 0, boundBy: "slots" });
  });

  test("never shrinks with more items or bytes", () => {
    const count = fc.nat(2_000_000);
    fc.assert(
      fc.property(count, count, fc.nat(1e12), fc.nat(1e12), (items, more, bytes, moreBytes) => {
        const [less, all] = [duration(items, bytes), duration(items + more, bytes + moreBytes)];
        expect(all.expectedSeconds).toBeGreaterThanOrEqual(less.expectedSeconds);
      }),
    );
  });
});
