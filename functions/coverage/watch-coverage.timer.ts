import type { TimerHandler } from "@azure/functions";
import * as z from "zod";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { type Blobs, readJson, updateJson } from "../../shared/storage/blobs.ts";
import type { Notifier } from "../notify/notifier.ts";
import type { Notice } from "../notify/notify.contract.ts";
import { COVERAGE_STATES } from "./coverage.ts";
import type { CoverageScan } from "./coverage-scan.ts";

/** Mailboxes that a notice names. */
const MAX_NAMED = 10;

/** What people were last notified of: the mailboxes in breach, and the number of the notice. */
const Notified = z.object({
  v: z.literal(1),
  number: z.int().nonnegative(),
  breaches: z.record(MailboxKey, z.enum(COVERAGE_STATES)),
});
type Notified = z.output<typeof Notified>;

const NAME = "coverage/told.json";
const NOTHING: Notified = { v: 1, number: 0, breaches: {} };

/**
 * Scans the coverage of all mailboxes, and notifies people when a mailbox has come into breach or out of it. It is
 * silent while nothing changes. Notices are numbered, so one that was sent before a crash is not sent twice.
 */
export const watchCoverage =
  (deps: {
    readonly state: Blobs;
    readonly scan: () => Promise<CoverageScan>;
    readonly notifier: Notifier;
  }): TimerHandler =>
  async (_timer, context) => {
    const scan = await deps.scan();
    // For the log's own alert, which works where no notice arrives: infra/queries/coverage.kql reads it.
    context.info(`coverage ${JSON.stringify(scan.summary)}`);
    const last = (await readJson(deps.state, NAME, Notified)) ?? NOTHING;
    const breaches: Notified["breaches"] = Object.fromEntries(
      scan.breaches.map(({ mailbox, state }) => [mailbox, state]),
    );
    const fresh = Object.keys(breaches).filter((key) => breaches[key] !== last.breaches[key]);
    const over = Object.keys(last.breaches).filter((key) => breaches[key] === undefined);
    if (fresh.length === 0 && over.length === 0) return;

    const number = last.number + 1;
    const outcome = await deps.notifier(noticeOf(number, scan, fresh, over.length));
    context.info(`Coverage has changed: ${fresh.length} new breaches, ${over.length} over; notice ${outcome}`);
    const now: Notified = { v: 1, number, breaches };
    await updateJson(deps.state, NAME, Notified, (current = NOTHING) => (current.number >= number ? current : now));
  };

const noticeOf = (
  number: number,
  { summary, breaches }: CoverageScan,
  fresh: readonly MailboxKey[],
  over: number,
): Notice => {
  const isFresh = new Set(fresh);
  const named = breaches.filter(({ mailbox }) => isFresh.has(mailbox)).slice(0, MAX_NAMED);
  return {
    id: `coverage-${number}`,
    title: fresh.length > 0 ? "Mailboxes are not covered as they should be" : "Mailboxes are covered again",
    isProblem: fresh.length > 0,
    facts: [
      { name: "New", value: `${fresh.length} mailboxes` },
      { name: "Over", value: `${over} mailboxes` },
      ...COVERAGE_STATES.map((state) => ({ name: state, value: `${summary[state]} mailboxes` })),
      ...named.map(({ mailbox, state }) => ({ name: mailbox, value: state })),
    ],
  };
};
