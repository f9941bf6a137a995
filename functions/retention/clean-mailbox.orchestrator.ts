import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations } from "../jobs/in-generations.steps.ts";
import {
  type CleanMailboxInput,
  CleanMailboxInput as Input,
  type Pruned,
  type Retained,
  retainMailbox,
} from "./retention.contract.ts";

const NOTHING: Pruned = { compacted: 0, waiting: 0, removed: 0, removedBytes: 0, refused: 0 };

/** Forgets and prunes one mailbox: one cycle of retention, in as many steps as it takes. */
export function* cleanMailbox(
  context: OrchestrationContext,
): Generator<Task, Retained | (Pruned & Cancelled) | undefined, unknown> {
  const { mailboxKey, before = NOTHING, ...generation } = Input.parse(context.df.getInput());
  return yield* inGenerations(context, {
    jobs: [context.df.instanceId],
    generation,
    state: before,
    *step(before) {
      const step = yield* call(context, retainMailbox, { mailboxKey });
      const soFar = { ...step, ...summed(before, step) };
      return step.outcome === "more" ? { state: soFar } : { result: soFar };
    },
    show: (counts, standing) => context.df.setCustomStatus({ ...counts, ...standing }),
    inputOf: (before): CleanMailboxInput => ({ mailboxKey, before }),
    cancelled: (counts) => ({ ...counts, ...CANCELLED }),
  });
}

/** Adds up what the steps did. What waits, and what was refused, is as of the last step. */
const summed = (before: Pruned, { compacted, waiting, removed, removedBytes, refused }: Pruned): Pruned => ({
  compacted: before.compacted + compacted,
  removed: before.removed + removed,
  removedBytes: before.removedBytes + removedBytes,
  waiting,
  refused,
});
