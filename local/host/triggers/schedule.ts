import { Cron } from "croner";
import { parseTimeSpan } from "../settings.ts";

export interface Schedule {
  /** The first occurrence after a time; both in milliseconds since the epoch. */
  next(afterMs: number): number;
  /** Whether daylight-saving time may shift it, as it may for a cron expression. */
  readonly adjustForDst: boolean;
}

/** NCRONTAB has numbers, names of three letters, lists, ranges and steps, but none of croner's extensions. */
const TERM = String.raw`(?:\*|(?:\d+|[a-z]{3})(?:-(?:\d+|[a-z]{3}))?)(?:\/\d+)?`;
const EXPRESSION = new RegExp(`^(?:${TERM}(?:,${TERM})*(?: |$)){5,6}$`, "i");

/**
 * Parses an NCRONTAB expression of six fields (or five, without seconds), or a time span, in UTC. @throws for any
 * other.
 */
export const parseSchedule = (text: string): Schedule => {
  const spanMs = parseTimeSpan(text);
  if (spanMs !== undefined && spanMs > 0) return { next: (afterMs) => afterMs + spanMs, adjustForDst: false };

  const expression = text.trim().replace(/\s+/g, " ");
  if (!EXPRESSION.test(expression)) throw new Error(`"${text}" is neither a cron expression nor a time span`);
  const cron = new Cron(expression, { mode: "5-or-6-parts", utcOffset: 0, domAndDow: true });
  return {
    adjustForDst: true,
    next(afterMs) {
      const next = cron.nextRun(new Date(afterMs));
      if (next === null) throw new Error(`"${text}" never occurs after ${new Date(afterMs).toISOString()}`);
      return next.getTime();
    },
  };
};
