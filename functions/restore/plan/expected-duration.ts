import { MAILBOX_REQUESTS, MAILBOX_SLOTS, MAILBOX_UPLOAD_BYTES } from "../../../shared/contracts/limits.ts";

/** How long a restore takes if nothing else uses the mailbox, and which of the mailbox's limits holds its imports up. */
export interface ExpectedDuration {
  readonly expectedSeconds: number;
  readonly boundBy: "slots" | "requests" | "bytes";
}

/**
 * Seconds that a limit of so many in a window adds to `sending`. Each window's worth goes as fast as the slots let it, and
 * the next one waits for the window to open again; the last waits for nothing.
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
 * What the slots take for the imports, and the longest of the pauses that the other two limits make in between; then what
 * the `others` take: requests that are made one after the other.
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
