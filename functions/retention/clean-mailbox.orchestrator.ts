import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import {
  type CleanMailboxInput,
  CleanMailboxInput as Input,
  type Retained,
  retainMailbox,
} from "./retention.contract.ts";

/** Calls in one generation: history is replayed for each result, so it must stay short. */
const CALLS_PER_GENERATION = 20;

type Before = NonNullable<CleanMailboxInput["before"]>;

/** Forgets and prunes one mailbox: one cycle of retention, in as many steps as it takes. */
export function* cleanMailbox(context: OrchestrationContext): Generator<Task, Retained | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  let before = input.before;
  for (let calls = 0; calls < CALLS_PER_GENERATION; calls += 1) {
    const step = yield* call(context, retainMailbox, { mailboxKey: input.mailboxKey });
    const soFar: Retained = { ...step, ...summed(before, step) };
    context.df.setCustomStatus(soFar);
    if (step.outcome !== "more") return soFar;
    before = soFar;
  }
  context.df.continueAsNew({ mailboxKey: input.mailboxKey, before } satisfies CleanMailboxInput);
  return undefined;
}

/** Adds up what the steps did. What waits, and what was refused, is as of the last step. */
const summed = (
  before: Before | undefined,
  { compacted, waiting, removed, removedBytes, refused }: Before,
): Before => ({
  compacted: compacted + (before?.compacted ?? 0),
  waiting,
  removed: removed + (before?.removed ?? 0),
  removedBytes: removedBytes + (before?.removedBytes ?? 0),
  refused,
});
