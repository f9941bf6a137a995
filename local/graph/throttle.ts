import { GraphFailure } from "./errors.ts";
import type { Settings } from "./settings.ts";

export type ThrottleKind = "MailboxConcurrency" | "Requests" | "IncomingBytes";

/** A 429. @observed code and message. */
export class Throttled extends GraphFailure {
  readonly kind: ThrottleKind;

  constructor(kind: ThrottleKind, headers: Record<string, string>) {
    super(429, "ApplicationThrottled", `Application is over its ${kind} limit.`, { headers });
    this.kind = kind;
  }
}

export interface Throttle {
  /** Counts a request in; throws `Throttled` when it is one too many. Call the result once its answer is sent. */
  readonly enter: (appId: string, mailboxId: string, bodyBytes: number) => () => void;
  /** Counts bytes of a body whose length was not announced. */
  readonly upload: (appId: string, mailboxId: string, bytes: number) => void;
  readonly clear: () => void;
}

interface Gate {
  inFlight: number;
  readonly requests: SlidingWindow;
  readonly bytes: SlidingWindow;
}

export const createThrottle = (settings: () => Settings, now: () => number): Throttle => {
  const gates = new Map<string, Gate>();

  const gateOf = (appId: string, mailboxId: string): Gate => {
    const key = `${appId} ${mailboxId}`;
    const gate = gates.get(key) ?? { inFlight: 0, requests: slidingWindow(), bytes: slidingWindow() };
    gates.set(key, gate);
    return gate;
  };

  const refuse = (kind: ThrottleKind, waitMs: number): never => {
    const { retryAfter, retryAfterSeconds } = settings().limits;
    const seconds = retryAfterSeconds ?? Math.max(1, Math.ceil(waitMs / 1000));
    if (retryAfter === "absent") throw new Throttled(kind, {});
    const date = new Date(now() + seconds * 1000).toUTCString();
    throw new Throttled(kind, { "retry-after": retryAfter === "seconds" ? String(seconds) : date });
  };

  return {
    enter: (appId, mailboxId, bodyBytes) => {
      const { limits } = settings();
      const gate = gateOf(appId, mailboxId);
      const time = now();
      const earlier = gate.requests.sum(time, limits.requestWindowMs);
      const uploaded = gate.bytes.sum(time, limits.incomingWindowMs);
      // A refused request counts too. @doc
      gate.requests.add(time, 1, limits.requestWindowMs);

      if (limits.enabled) {
        if (gate.inFlight >= limits.maxConcurrent) refuse("MailboxConcurrency", 1000);
        if (earlier >= limits.maxRequests)
          refuse("Requests", gate.requests.oldestLeavesIn(time, limits.requestWindowMs));
        const fitsAlone = limits.oversizedImport === "when-idle" && uploaded === 0;
        if (uploaded + bodyBytes > limits.maxIncomingBytes && bodyBytes > 0 && !fitsAlone) {
          refuse("IncomingBytes", gate.bytes.oldestLeavesIn(time, limits.incomingWindowMs));
        }
      }

      gate.inFlight += 1;
      gate.bytes.add(time, bodyBytes, limits.incomingWindowMs);
      return () => {
        gate.inFlight -= 1;
      };
    },
    upload: (appId, mailboxId, bytes) =>
      gateOf(appId, mailboxId).bytes.add(now(), bytes, settings().limits.incomingWindowMs),
    clear: () => gates.clear(),
  };
};

interface SlidingWindow {
  readonly add: (time: number, amount: number, windowMs: number) => void;
  readonly sum: (time: number, windowMs: number) => number;
  readonly oldestLeavesIn: (time: number, windowMs: number) => number;
}

/** Sums what happened in the last while, in steps of a 600th of the window, so that it stays small. */
const slidingWindow = (): SlidingWindow => {
  const steps: { start: number; amount: number }[] = [];
  let total = 0;

  const expire = (time: number, windowMs: number) => {
    while (steps[0] !== undefined && steps[0].start + windowMs <= time) total -= steps.shift()?.amount ?? 0;
  };
  return {
    add: (time, amount, windowMs) => {
      const newest = steps.at(-1);
      if (newest !== undefined && time - newest.start < windowMs / 600) newest.amount += amount;
      else steps.push({ start: time, amount });
      total += amount;
    },
    sum: (time, windowMs) => {
      expire(time, windowMs);
      return total;
    },
    oldestLeavesIn: (time, windowMs) => (steps[0] === undefined ? 0 : steps[0].start + windowMs - time),
  };
};
