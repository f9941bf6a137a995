import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../shared/bounded.ts";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { listMailboxes } from "../../shared/vault/snapshots.ts";
import { type RetainActivityDeps, retentionRun } from "./retain-mailbox.activity.ts";
import { type Retained, retainMailboxes } from "./retention.contract.ts";

/** Mailboxes at a time: each may hold one or two parts of its catalogue in memory. */
const WIDTH = 4;

type Outcome = Retained | "failed";

/**
 * Forgets and prunes one mailbox after the other. One that fails is logged and left for the next night, so that it
 * never blocks the others. Run twice, the second finds the work of the first done.
 */
export const retainMailboxesActivity = (deps: RetainActivityDeps): ActivityHandler =>
  implement(retainMailboxes, async (input, context) => {
    const { vault, policy } = deps;
    const counts = { ...NOTHING };
    if (policy === undefined) return { ...counts, finished: true };

    const untilMs = Date.now() + deps.laneBudgetMs;
    const retainOne = retentionRun({ ...deps, policy }, deps.clientOf(context));
    const attempt = async (key: MailboxKey): Promise<Outcome> => {
      try {
        return await retainOne(key);
      } catch (error) {
        context.error(`${key} could not be cleaned up`, error);
        return "failed";
      }
    };

    let { after } = input;
    for await (const keys of groups(vault, after)) {
      const outcomes = await mapBounded(keys, WIDTH, attempt);
      for (const outcome of outcomes) add(counts, outcome);
      const unfinished = outcomes.findIndex((outcome) => outcome !== "failed" && outcome.outcome === "more");
      after = unfinished === -1 ? keys.at(-1) : (keys[unfinished - 1] ?? after);
      if (unfinished !== -1 || Date.now() >= untilMs) return { ...counts, ...(after && { after }), finished: false };
    }
    return { ...counts, finished: true };
  });

const NOTHING = {
  mailboxes: 0,
  held: 0,
  damaged: 0,
  failed: 0,
  compacted: 0,
  waiting: 0,
  removed: 0,
  removedBytes: 0,
  refused: 0,
};

/** Counts a mailbox once, when it is finished. What was removed of it counts at once. */
const add = (counts: typeof NOTHING, outcome: Outcome): void => {
  if (outcome === "failed") {
    counts.mailboxes += 1;
    counts.failed += 1;
    return;
  }
  counts.compacted += outcome.compacted;
  counts.removed += outcome.removed;
  counts.removedBytes += outcome.removedBytes;
  if (outcome.outcome === "more") return;
  counts.mailboxes += 1;
  counts.waiting += outcome.waiting;
  counts.refused += outcome.refused;
  if (outcome.outcome === "held") counts.held += 1;
  if (outcome.outcome === "damaged") counts.damaged += 1;
};

async function* groups(vault: Blobs, after = ""): AsyncGenerator<MailboxKey[]> {
  let group: MailboxKey[] = [];
  for await (const key of listMailboxes(vault)) {
    if (key <= after) continue;
    group.push(key);
    if (group.length < WIDTH) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
