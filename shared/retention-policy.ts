import * as z from "zod";

/**
 * The periods of a policy. With a count of n, the newest snapshot is kept of each of the last n periods that have any.
 */
export const PERIODS = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
export type Period = (typeof PERIODS)[number];

/** Which snapshots of a mailbox to keep. `within` keeps all that are at most that much older than the newest one. */
export interface RetentionPolicy {
  /** The policy as it was written. */
  readonly text: string;
  readonly counts: Readonly<Partial<Record<Period, number>>>;
  readonly within?: Span;
}

/** A span of the calendar, in UTC. */
export interface Span {
  readonly text: string;
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const COUNT = /^[1-9]\d{0,4}$/;
const SPAN = /^(?:(\d{1,3})y)?(?:(\d{1,4})m)?(?:(\d{1,5})d)?(?:(\d{1,5})h)?$/;

const EXPECTED =
  "should keep something, as in last=7,daily=30,within=7d: last, hourly, daily, weekly, monthly and yearly take a " +
  "number from 1 to 99999, and within takes a span such as 7d or 1y6m";

/** The setting `RETENTION`: `last=7,daily=30,weekly=12,monthly=24,yearly=7,within=7d`, or some of these rules. */
export const RetentionPolicy = z.string({ error: EXPECTED }).transform((text, context): RetentionPolicy => {
  const policy = policyOf(text);
  if (policy !== undefined) return policy;
  context.addIssue(EXPECTED);
  return z.NEVER;
});

const policyOf = (text: string): RetentionPolicy | undefined => {
  const counts: Partial<Record<Period, number>> = {};
  let within: Span | undefined;
  for (const rule of text.split(",")) {
    const [name = "", value = "", ...more] = rule.split("=").map((word) => word.trim());
    const period = PERIODS.find((each) => each === name);
    if (more.length > 0) return undefined;
    if (period !== undefined && counts[period] === undefined && COUNT.test(value)) counts[period] = Number(value);
    else if (name === "within" && within === undefined) {
      within = spanOf(value);
      if (within === undefined) return undefined;
    } else return undefined;
  }
  return { text, counts, ...(within === undefined ? {} : { within }) };
};

const spanOf = (text: string): Span | undefined => {
  const [, ...numbers] = SPAN.exec(text) ?? [];
  const [years = 0, months = 0, days = 0, hours = 0] = numbers.map((number) => Number(number ?? 0));
  return years + months + days + hours > 0 ? { text, years, months, days, hours } : undefined;
};
