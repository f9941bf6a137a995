import { setTimeout as delay } from "node:timers/promises";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import type { MailboxKey } from "../contracts/ids.ts";
import { retryAfterMs } from "./retry-after.ts";
import { SlotsLostError, WorkStoppedError } from "./stopped-work.ts";

/** Closed while Exchange asks for a wait. Exchange counts a mailbox's requests, whichever lane sends them. */
export interface MailboxGate {
  /** Milliseconds until requests may be sent again; 0 while they may. */
  closedMs(): number;
  /** Closes it for that long, unless it is closed for longer. */
  close(ms: number): void;
}

/** The gates of the mailboxes that one process works on: all its lanes and jobs share them. */
export interface MailboxGates {
  of(key: MailboxKey): MailboxGate;
}

export const mailboxGates = (now: () => number = Date.now): MailboxGates => {
  const closedUntil = new Map<MailboxKey, number>();
  return {
    of: (key) => ({
      closedMs: () => {
        const ms = Math.max(0, (closedUntil.get(key) ?? 0) - now());
        if (ms === 0) closedUntil.delete(key);
        return ms;
      },
      close: (ms) => {
        closedUntil.set(key, Math.max(closedUntil.get(key) ?? 0, now() + ms));
      },
    }),
  };
};

/** The mailbox is closed for longer than the work may wait. Nothing was sent. */
export class MailboxClosedError extends Error {
  override readonly name = "MailboxClosedError";
  readonly closedMs: number;

  constructor(closedMs: number) {
    super("The mailbox is closed for longer than the work may wait");
    this.closedMs = closedMs;
  }
}

/** What a piece of work may wait. See RequestBudget. */
interface Waiting {
  readonly gate?: MailboxGate;
  readonly untilMs: number;
  readonly endsMs?: number;
  readonly isHeld?: () => boolean;
  readonly stopping?: AbortSignal;
}

/**
 * Holds each try back while the gate is closed, and closes the gate for as long as an answer asks. Nothing is sent once
 * the work is told to stop.
 */
export const waitAtGate = ({ gate, untilMs, endsMs, isHeld, stopping }: Waiting): PipelinePolicy => ({
  name: "waitAtGate",
  sendRequest: async (request, next) => {
    const refuseIfStopping = (): void => {
      if (stopping?.aborted) throw new WorkStoppedError("The work was told to send nothing new");
    };
    refuseIfStopping();
    let waited = false;
    for (let ms = gate?.closedMs() ?? 0; ms > 0; ms = gate?.closedMs() ?? 0) {
      const isTooLong = Date.now() + ms > Math.min(untilMs, endsMs ?? Number.POSITIVE_INFINITY);
      if (isTooLong) throw new MailboxClosedError(ms);
      await delay(ms, undefined, stopping && { signal: stopping }).catch(refuseIfStopping);
      waited = true;
    }
    if (waited && isHeld?.() === false) throw new SlotsLostError("The slots were lost while the mailbox was closed");
    const response = await next(request);
    const asked = response.status < 400 ? 0 : (retryAfterMs(response.headers.get("retry-after"), Date.now()) ?? 0);
    if (asked > 0) gate?.close(asked);
    return response;
  },
});
