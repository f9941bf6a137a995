import type { Spending } from "../contracts/lane.ts";
import { MAILBOX_REQUESTS, MAILBOX_UPLOAD_BYTES } from "../contracts/limits.ts";

/** Steps of a window are remembered as one: few enough for a history, and less than 1 % of a window. */
const STEP_SECONDS = 3;

/** A request may wait for its slot, and Exchange's clock may differ by so much. */
const MARGIN_SECONDS = 2;

/** What may be sent to one mailbox within Exchange's limits, which count over sliding windows. */
export interface SendBudget {
  /** Milliseconds until so many bytes may be sent: 0 is at once, and always comes. A body beyond the limit goes alone. */
  waitMs(bytes: number): number;
  /** Notes that they are being sent. */
  spend(bytes: number): void;
  /** What still counts, to go on with in another process. */
  readonly spent: Spending[];
}

export const sendBudget = (earlier: readonly Spending[], now: () => number = Date.now): SendBudget => {
  let steps: Spending[] = [...earlier];

  /** Milliseconds until a step counts no more in a window. */
  const leavesIn = ({ at }: Spending, windowMs: number): number =>
    (at + STEP_SECONDS + MARGIN_SECONDS) * 1000 + windowMs - now();

  /** How long until what is counted falls so far that `more` fits, when the oldest goes first. */
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
