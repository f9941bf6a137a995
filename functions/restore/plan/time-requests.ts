import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";

/** Requests that are timed. One that waits for a token or a connection does not change the median of three. */
const PROBES = 3;

/** The least time assumed of an import, since it stores an item and a probe only reads. Our own choice. */
const MIN_SECONDS = 0.2;

/**
 * Estimates the seconds that one request to a mailbox takes: the median of a few small ones, made one after the other.
 * It is an estimate for imports, since nothing is imported before a restore begins.
 */
export const timeRequests = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  now: () => number = () => performance.now(),
): Promise<number> => {
  const times: number[] = [];
  for (let probe = 0; probe < PROBES; probe += 1) {
    const sent = now();
    await probeMailbox(graph, mailbox);
    times.push(now() - sent);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(PROBES / 2)] ?? 0;
  return Math.max(MIN_SECONDS, Math.round(median) / 1_000);
};
