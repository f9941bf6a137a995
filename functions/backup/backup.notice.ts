import type { RunId } from "../../shared/contracts/ids.ts";
import type { Notice } from "../notify/notify.contract.ts";
import type { BackupTenantResult } from "./backup.contract.ts";

/** Failed mailboxes that a notice names. */
const MAX_NAMED = 5;

const idOf = (tenantRun: RunId): string => `backup-${tenantRun}`;

/** The notice of a tenant-wide backup that has ended. */
export const runNotice = (tenantRun: RunId, result: BackupTenantResult): Notice => {
  const { complete, partial, failed, failures, items, bytes, busy, withoutMailbox, unknown, goesOn } = result;
  const { unanswered, notPermitted } = result;
  const unreached = unanswered + notPermitted;
  const isProblem = failed > 0 || partial > 0 || unknown > 0 || unreached > 0;
  return {
    id: idOf(tenantRun),
    title: isProblem ? "The backup has ended, and needs a look" : "The backup has ended well",
    isProblem,
    facts: [
      { name: "Run", value: tenantRun },
      { name: "Complete", value: `${complete} mailboxes` },
      { name: "Partial", value: `${partial} mailboxes` },
      { name: "Failed", value: `${failed} mailboxes` },
      ...(goesOn === 0 ? [] : [{ name: "Not done yet", value: `${goesOn} mailboxes, which go on` }]),
      { name: "Stored", value: `${items} items, ${bytes} bytes` },
      { name: "Left out", value: `${busy} busy, ${withoutMailbox} without a mailbox, ${unknown} unknown` },
      ...(unreached === 0
        ? []
        : [{ name: "Not reached", value: `${unanswered} without an answer, ${notPermitted} not permitted` }]),
      ...failures.slice(0, MAX_NAMED).map(({ job, reason }) => ({ name: job, value: reason })),
    ],
  };
};

/** The notice of a tenant-wide backup that failed. */
export const brokenRunNotice = (tenantRun: RunId): Notice => ({
  id: idOf(tenantRun),
  title: "The backup broke off",
  isProblem: true,
  facts: [
    { name: "Run", value: tenantRun },
    { name: "Why", value: "See the job backup-tenant" },
  ],
});
