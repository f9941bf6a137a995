import type { ThrottleKind } from "./throttle.ts";

/** What happened since the start or the last reset. */
export interface CounterReport {
  readonly requests: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly throttled: Readonly<Record<ThrottleKind, number>>;
  readonly mailboxes: Readonly<Record<string, MailboxCounters>>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Item ids asked of exportItems, and items committed by imports. */
  readonly itemsExported: number;
  readonly itemsImported: number;
  /** What a careful client never does, such as an Authorization header on an import URL. */
  readonly violations: readonly string[];
}

export interface MailboxCounters {
  requests: number;
  inFlight: number;
  /** Most requests at the same time, refused ones included. */
  highestConcurrency: number;
  /** Requests whose caller has neither its answer nor gone away, and the most of them at the same time. */
  awaited: number;
  highestAwaited: number;
  /** Sum over its requests of the time from arrival to the answer's last byte, refused ones included. */
  busyMs: number;
}

export interface Counters {
  readonly arrived: (endpoint: string, mailboxId: string | undefined) => () => void;
  /** A caller begins to wait for a mailbox. Returns what to call when it has its answer, or is gone. */
  readonly awaited: (mailboxId: string) => () => void;
  readonly answered: (status: number, throttled?: ThrottleKind) => void;
  readonly received: (bytes: number) => void;
  readonly sent: (bytes: number) => void;
  readonly exported: (items: number) => void;
  readonly imported: () => void;
  readonly violation: (text: string) => void;
  readonly report: () => CounterReport;
  readonly reset: () => void;
}

const MAX_VIOLATIONS = 1000;

const NO_REQUESTS = { requests: 0, inFlight: 0, highestConcurrency: 0, awaited: 0, highestAwaited: 0, busyMs: 0 };

const nothingYet = () => ({
  requests: {} as Record<string, number>,
  answers: {} as Record<string, number>,
  throttled: { MailboxConcurrency: 0, Requests: 0, IncomingBytes: 0 },
  mailboxes: {} as Record<string, MailboxCounters>,
  bytesIn: 0,
  bytesOut: 0,
  itemsExported: 0,
  itemsImported: 0,
  violations: [] as string[],
});

export const createCounters = (): Counters => {
  let counts = nothingYet();

  const mailboxOf = (id: string): MailboxCounters => {
    counts.mailboxes[id] ??= { ...NO_REQUESTS };
    return counts.mailboxes[id];
  };

  return {
    arrived: (endpoint, mailboxId) => {
      counts.requests[endpoint] = (counts.requests[endpoint] ?? 0) + 1;
      if (mailboxId === undefined) return () => {};
      const mailbox = mailboxOf(mailboxId);
      const start = performance.now();
      mailbox.requests += 1;
      mailbox.inFlight += 1;
      mailbox.highestConcurrency = Math.max(mailbox.highestConcurrency, mailbox.inFlight);
      return () => {
        mailbox.inFlight -= 1;
        mailbox.busyMs += performance.now() - start;
      };
    },
    awaited: (mailboxId) => {
      const mailbox = mailboxOf(mailboxId);
      mailbox.awaited += 1;
      mailbox.highestAwaited = Math.max(mailbox.highestAwaited, mailbox.awaited);
      return () => {
        mailbox.awaited -= 1;
      };
    },
    answered: (status, throttled) => {
      counts.answers[status] = (counts.answers[status] ?? 0) + 1;
      if (throttled !== undefined) counts.throttled[throttled] += 1;
    },
    received: (bytes) => {
      counts.bytesIn += bytes;
    },
    sent: (bytes) => {
      counts.bytesOut += bytes;
    },
    exported: (items) => {
      counts.itemsExported += items;
    },
    imported: () => {
      counts.itemsImported += 1;
    },
    violation: (text) => {
      if (counts.violations.length < MAX_VIOLATIONS) counts.violations.push(text);
    },
    report: () => structuredClone(counts),
    reset: () => {
      const running = Object.entries(counts.mailboxes).filter(([, mailbox]) => mailbox.inFlight > 0);
      counts = nothingYet();
      // Requests under way keep their counter, so that their end is still counted.
      for (const [id, mailbox] of running) {
        counts.mailboxes[id] = Object.assign(mailbox, {
          requests: mailbox.inFlight,
          highestConcurrency: mailbox.inFlight,
          highestAwaited: mailbox.awaited,
          busyMs: 0,
        });
      }
    },
  };
};
