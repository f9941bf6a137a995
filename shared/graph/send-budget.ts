import type { Spending } from "../contracts/lane.ts";
import { MAILBOX_REQUESTS, MAILBOX_UPLOAD_BYTES } from "../contracts/limits.ts";

/** Requests within such a step are counted as one entry: few enough for a history, and less than 1 % of a window. */
const STEP_SECONDS = 3;

/** For the time that a request waits for its slot, and for the difference between Exchange's clock and ours. */
const MARGIN_SECONDS = 2;

/** What may be sent to one mailbox within Exchange's limits, which count over sliding windows. */
export interface SendBudget {
  /** Milliseconds until a body of `bytes` may be sent. A body over the limit may be sent once nothing else counts. */
  waitMs(bytes: number): number;
  /** Notes that a body of `bytes` is being sent. */
  spend(bytes: number): void;
  /** The entries that still count, for a budget in another process. */
  readonly spent: Spending[];
}

export const sendBudget = (earlier: readonly Spending[], now: () => number = Date.now): SendBudget => {
  let steps: Spending[] = [...earlier];

  /** Milliseconds until a step no longer counts in a window. */
  const leavesIn = ({ at }: Spending, windowMs: number): number =>
    (at + STEP_SECONDS + MARGIN_SECONDS) * 1000 + windowMs - now();

  /** Milliseconds until enough of the oldest steps no longer count for `more` to fit. */
  const fitsIn = (
    count: (step: Spending) => number,
    more: number,
    { most, windowMs }: { readonly most: number; readonly windowMs: number },
  ): number => {
    const counted = steps.filter((step) => count(step) > 0 && leavesIn(step, windowMs) > 0);
    let sum = counted.reduce((total, step) => total + count(step), 0);
    for (const step of counted) {
      if (sum + more <= most) return 0;
      sum -= count(step);
      if (sum + more <= most || sum === 0) return leavesIn(step, windowMs);
    }
    return 0;
  };

  return {
    waitMs: (bytes) =>
      Math.max(
        fitsIn((step) => step.bytes, bytes, MAILBOX_UPLOAD_BYTES),
        fitsIn((step) => step.requests, 1, MAILBOX_REQUESTS),
      ),
    spend: (bytes) => {
      const seconds = Math.floor(now() / 1000);
      const at = seconds - (seconds % STEP_SECONDS);
      const last = steps.at(-1);
      if (last?.at === at) steps[steps.length - 1] = { at, bytes: last.bytes + bytes, requests: last.requests + 1 };
      else steps.push({ at, bytes, requests: 1 });
    },
    get spent() {
      const longest = Math.max(MAILBOX_UPLOAD_BYTES.windowMs, MAILBOX_REQUESTS.windowMs);
      steps = steps.filter((step) => leavesIn(step, longest) > 0);
      return [...steps];
    },
  };
};
