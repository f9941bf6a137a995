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

/** What was told last: the mailboxes in breach, and how often anything was told. */
const Told = z.object({
  v: z.literal(1),
  number: z.int().nonnegative(),
  breaches: z.record(MailboxKey, z.enum(COVERAGE_STATES)),
});
type Told = z.output<typeof Told>;

const NAME = "coverage/told.json";
const NOTHING: Told = { v: 1, number: 0, breaches: {} };

/**
 * Looks at the coverage of all mailboxes and tells people when mailboxes are in breach that were not, or are not any more.
 * While nothing changes it is silent. One that is cut off after it has told says nothing twice: notices are numbered.
 */
export const watchCoverage =
  (deps: {
    readonly state: Blobs;
    readonly scan: () => Promise<CoverageScan>;
    readonly notifier: Notifier;
  }): TimerHandler =>
  async (_timer, context) => {
    const scan = await deps.scan();
    const told = (await readJson(deps.state, NAME, Told)) ?? NOTHING;
    const breaches: Told["breaches"] = Object.fromEntries(scan.breaches.map(({ mailbox, state }) => [mailbox, state]));
    const fresh = Object.keys(breaches).filter((key) => breaches[key] !== told.breaches[key]);
    const over = Object.keys(told.breaches).filter((key) => breaches[key] === undefined);
    if (fresh.length === 0 && over.length === 0) return;

    const number = told.number + 1;
    const outcome = await deps.notifier(noticeOf(number, scan, fresh, over.length));
    context.info(`Coverage has changed: ${fresh.length} new breaches, ${over.length} over; notice ${outcome}`);
    const now: Told = { v: 1, number, breaches };
    await updateJson(deps.state, NAME, Told, (current = NOTHING) => (current.number >= number ? current : now));
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
