import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Spending } from "../../../shared/contracts/lane.ts";
import { MAILBOX_REQUESTS, MAILBOX_UPLOAD_BYTES } from "../../../shared/contracts/limits.ts";
import { sendBudget } from "../../../shared/graph/send-budget.ts";

const aClock = () => {
  let ms = 1_700_000_000_000;
  return {
    now: () => ms,
    pass: (more: number) => {
      ms += more;
    },
  };
};

describe("what may be sent to a mailbox", () => {
  test("is any body while nothing was sent, even one over the limit", () => {
    expect(sendBudget([]).waitMs(MAILBOX_UPLOAD_BYTES.most * 2)).toBe(0);
  });

  test("waits for the window once its bytes are spent", () => {
    const { now, pass } = aClock();
    const budget = sendBudget([], now);
    budget.spend(MAILBOX_UPLOAD_BYTES.most - 10);

    expect(budget.waitMs(10)).toBe(0);
    const wait = budget.waitMs(11);
    expect(wait).toBeGreaterThan(MAILBOX_UPLOAD_BYTES.windowMs);
    expect(wait).toBeLessThan(MAILBOX_UPLOAD_BYTES.windowMs * 1.02);
    pass(wait);
    expect(budget.waitMs(11)).toBe(0);
  });

  test("waits for the window of requests too, also in another process that goes on from what was spent", () => {
    const { now } = aClock();
    const budget = sendBudget([], now);
    for (let n = 0; n < MAILBOX_REQUESTS.most; n += 1) budget.spend(1);

    const later = sendBudget(JSON.parse(JSON.stringify(budget.spent)) as Spending[], now);

    expect(later.waitMs(1)).toBe(budget.waitMs(1));
    expect(later.waitMs(1)).toBeGreaterThan(MAILBOX_REQUESTS.windowMs);
    expect(budget.spent).toHaveLength(1);
  });

  test("never exceeds a limit in any window, and comes near it", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20_000_000 }), { minLength: 50, maxLength: 200 }), (bodies) => {
        const { now, pass } = aClock();
        const budget = sendBudget([], now);
        const sent: { at: number; bytes: number }[] = [];
        for (const bytes of bodies) {
          pass(budget.waitMs(bytes));
          budget.spend(bytes);
          sent.push({ at: now(), bytes });
          pass(200);
        }

        for (const { at } of sent) {
          const window = sent.filter((one) => one.at > at - MAILBOX_UPLOAD_BYTES.windowMs && one.at <= at);
          expect(window.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MAILBOX_UPLOAD_BYTES.most);
        }
        // A window may be left before it is full, by less than a body.
        const windows = Math.floor(
          bodies.reduce((sum, bytes) => sum + bytes, 0) / (MAILBOX_UPLOAD_BYTES.most - 20_000_000),
        );
        const most = windows * MAILBOX_UPLOAD_BYTES.windowMs * 1.02 + bodies.length * 200;
        expect(now() - 1_700_000_000_000).toBeLessThanOrEqual(most);
      }),
      { numRuns: 50 },
    );
  });
});
