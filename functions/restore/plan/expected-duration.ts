import { MAILBOX_REQUESTS, MAILBOX_SLOTS, MAILBOX_UPLOAD_BYTES } from "../../../shared/contracts/limits.ts";

/** How long a restore takes if nothing else uses the mailbox, and which of the mailbox's limits bounds its imports. */
export interface ExpectedDuration {
  readonly expectedSeconds: number;
  readonly boundBy: "slots" | "requests" | "bytes";
}

/**
 * Seconds that a limit of `most` in a window adds to `sending`. What fits a window is sent as fast as the slots allow;
 * the rest waits for the next window. After the last window there is no wait.
 */
const pausesFor = (
  count: number,
  sending: number,
  { most, windowMs }: { readonly most: number; readonly windowMs: number },
): number => {
  const pauses = Math.max(0, Math.ceil(count / most) - 1);
  return pauses === 0 ? 0 : pauses * Math.max(0, windowMs / 1_000 - (sending * most) / count);
};

/**
 * The time that the slots take for the imports, plus the longer of the pauses that the other two limits add, plus the
 * time of the `others`: requests that are made one after the other.
 */
export const expectedDuration = ({
  items,
  bodyBytes,
  others,
  secondsPerRequest,
}: {
  readonly items: number;
  readonly bodyBytes: number;
  readonly others: number;
  readonly secondsPerRequest: number;
}): ExpectedDuration => {
  const sending = (items * secondsPerRequest) / MAILBOX_SLOTS;
  const bounds = [
    { boundBy: "slots", pauses: 0 },
    { boundBy: "requests", pauses: pausesFor(items, sending, MAILBOX_REQUESTS) },
    { boundBy: "bytes", pauses: pausesFor(bodyBytes, sending, MAILBOX_UPLOAD_BYTES) },
  ] as const;
  const { boundBy, pauses } = bounds.reduce((longest, bound) => (bound.pauses > longest.pauses ? bound : longest));
  return { expectedSeconds: Math.ceil(sending + pauses + others * secondsPerRequest), boundBy };
};
