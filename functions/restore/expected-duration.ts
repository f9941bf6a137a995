import { MAILBOX_REQUESTS, MAILBOX_SLOTS, MAILBOX_UPLOAD_BYTES } from "../../shared/graph/limits.ts";

/** How long a restore takes at best, and which of the mailbox's limits says so. */
export interface ExpectedDuration {
  readonly expectedSeconds: number;
  readonly boundBy: "slots" | "requests" | "bytes";
}

/** Seconds until a limit of so many in a window lets this many through: the first window's worth goes at once. */
const secondsFor = (count: number, { most, windowMs }: { readonly most: number; readonly windowMs: number }): number =>
  (Math.max(0, count - most) / most) * (windowMs / 1_000);

/** The longest of three: what the slots take, what the limit of requests takes, and what that of uploaded bytes takes. */
export const expectedDuration = ({
  items,
  bodyBytes,
  secondsPerRequest,
}: {
  readonly items: number;
  readonly bodyBytes: number;
  readonly secondsPerRequest: number;
}): ExpectedDuration => {
  const bounds = [
    { boundBy: "slots", seconds: (items * secondsPerRequest) / MAILBOX_SLOTS },
    { boundBy: "requests", seconds: secondsFor(items, MAILBOX_REQUESTS) },
    { boundBy: "bytes", seconds: secondsFor(bodyBytes, MAILBOX_UPLOAD_BYTES) },
  ] as const;
  const { boundBy, seconds } = bounds.reduce((longest, bound) => (bound.seconds > longest.seconds ? bound : longest));
  return { expectedSeconds: Math.ceil(seconds), boundBy };
};
