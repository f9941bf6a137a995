import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";

/** Requests that are timed: one that had to wait for a token or a connection does not move the middle of three. */
const PROBES = 3;

/** An import is taken to last as long at least, since it stores an item where a probe only looks. Our own choice. */
const MIN_SECONDS = 0.2;

/**
 * Seconds that one request to a mailbox is taken to last: the median of a few small ones, one after the other. Exchange is
 * not asked to import anything before a restore begins, so that of an import is an estimate.
 */
export const timeRequests = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  now: () => number = () => performance.now(),
): Promise<number> => {
  const times: number[] = [];
  for (let probe = 0; probe < PROBES; probe += 1) {
    const asked = now();
    await probeMailbox(graph, mailbox);
    times.push(now() - asked);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(PROBES / 2)] ?? 0;
  return Math.max(MIN_SECONDS, Math.round(median) / 1_000);
};
