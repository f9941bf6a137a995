import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { type Gauge, PROMETHEUS_TYPE, prometheusText } from "../../shared/http/prometheus.ts";
import { invalidQuery, readQuery } from "../../shared/http/query.ts";
import { COVERAGE_STATES } from "./coverage.ts";
import type { CoverageScan, SharedScan } from "./coverage-scan.ts";

/** Most mailboxes with a series of their own: Prometheus keeps each series for its whole retention time. */
const MAX_SERIES = 100;

const Query = z.strictObject({ breaches: z.stringbool("Expected 'true' or 'false'").default(false) });

/**
 * GET /api/coverage/metrics?breaches=
 *
 * 200 with totals over all mailboxes in Prometheus' text format. With `breaches=true`, also one series for each mailbox
 * that somebody should look into, the first hundred by key. 400 for a parameter that does not parse.
 */
export const getCoverageMetrics =
  (deps: { readonly scan: SharedScan }): HttpHandler =>
  async (request) => {
    const query = Query.safeParse(readQuery(request.query));
    if (!query.success) return invalidQuery(query.error);
    const scan = await deps.scan();
    const body = prometheusText([...totals(scan), ...(query.data.breaches ? [breaching(scan)] : [])]);
    return { status: 200, headers: { "content-type": PROMETHEUS_TYPE }, body };
  };

const totals = ({ at, summary, leftOut }: CoverageScan): Gauge[] => {
  const one = (name: string, help: string, value: number): Gauge => ({
    name: `mailbox_vault_${name}`,
    help,
    samples: [{ value }],
  });
  return [
    {
      name: "mailbox_vault_mailboxes",
      help: "Mailboxes by the state of their coverage.",
      samples: COVERAGE_STATES.map((state) => ({ labels: { state }, value: summary[state] })),
    },
    one("mailboxes_held", "Mailboxes on hold, in any state.", summary.held),
    one("mailboxes_partial", "Mailboxes whose newest snapshot lacks items.", summary.partial),
    one("items", "Items in the newest snapshots.", summary.items),
    one("raw_bytes", "Bytes of the items in the newest snapshots.", summary.bytes),
    one("oldest_check_age_seconds", "Longest time since a mailbox was last checked.", summary.oldestAgeSeconds),
    one("coverage_scan_timestamp_seconds", "When coverage was last scanned.", Date.parse(at) / 1000),
    ...(leftOut === undefined
      ? []
      : [
          {
            name: "mailbox_vault_left_out",
            help: "Users who are not backed up, by reason, as the last discovery of the scope found.",
            samples: Object.entries(leftOut).map(([reason, value]) => ({ labels: { reason }, value })),
          },
        ]),
  ];
};

const breaching = ({ breaches }: CoverageScan): Gauge => ({
  name: "mailbox_vault_mailbox_breach",
  help: "1 for each mailbox whose coverage needs a look, the first hundred by key.",
  samples: breaches.slice(0, MAX_SERIES).map(({ mailbox, state }) => ({ labels: { mailbox, state }, value: 1 })),
});
