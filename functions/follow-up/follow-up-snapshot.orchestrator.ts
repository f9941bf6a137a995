import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxKey, RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownRunId } from "../../shared/durable/own-ids.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations } from "../jobs/in-generations.steps.ts";
import { notifyPeople } from "../notify/notify.steps.ts";
import { compactMailbox, retainMailbox } from "../retention/retention.contract.ts";
import { NOTHING_VERIFIED, verifyNext } from "../verify/verify.steps.ts";
import {
  type FollowedUp,
  type FollowUpInput,
  type FollowUpResult,
  FollowUpInput as Input,
} from "./follow-up.contract.ts";
import { followUpNotice } from "./follow-up.notice.ts";

/** Most calls that remove blobs; the nightly clean-up removes the rest. */
const MAX_ROUNDS = 20;

const BEGINNING: FollowedUp = {
  result: { verify: "waiting", compact: "waiting", retain: "waiting" },
  verified: NOTHING_VERIFIED,
  rounds: 0,
};

/**
 * Follows a new snapshot: verifies it, compacts the mailbox's chain if that is due, then forgets and prunes. A step
 * that fails does not stop the others, but nothing is removed unless the snapshot is known to be sound. Notifies people
 * of damage and failures.
 */
export function* followUpSnapshot(
  context: OrchestrationContext,
): Generator<Task, FollowUpResult | (FollowUpResult & Cancelled) | undefined, unknown> {
  const { mailboxKey, snapshotId, resume, ...generation } = Input.parse(context.df.getInput());
  const { run, ...state } = resume ?? { run: ownRunId(context, "verify"), ...BEGINNING };
  const snapshot = { mailboxKey, snapshotId };
  return yield* inGenerations(context, {
    jobs: [context.df.instanceId],
    generation,
    state,
    *step(state) {
      const next = yield* followOn(context, { run, ...snapshot }, state);
      if (next.result.retain === "waiting") return { state: next };
      context.df.setCustomStatus(next.result);
      const notice = followUpNotice(snapshot, next.result);
      if (notice !== undefined) yield* notifyPeople(context, notice);
      return { result: next.result };
    },
    show: ({ result }, standing) => context.df.setCustomStatus({ ...result, ...standing }),
    inputOf: (state): FollowUpInput => ({ ...snapshot, resume: { run, ...state } }),
    cancelled: ({ result }) => ({ ...result, ...CANCELLED }),
  });
}

const STEPS = ["verify", "compact", "retain"] as const;

/** The next call of what is to be done. One that fails ends its step; why is in the history of the activity. */
function* followOn(
  context: OrchestrationContext,
  its: { readonly run: RunId; readonly mailboxKey: MailboxKey; readonly snapshotId: SnapshotId },
  state: FollowedUp,
): Generator<Task, FollowedUp, unknown> {
  const step = STEPS.find((name) => state.result[name] === "waiting") ?? "retain";
  const ended = (outcome: string): FollowedUp => ({ ...state, result: { ...state.result, [step]: outcome } });
  const { mailboxKey, snapshotId, run } = its;
  try {
    switch (step) {
      case "verify": {
        const scope = { mailbox: mailboxKey, snapshot: snapshotId };
        const { totals, state: verified } = yield* verifyNext(context, { run, scope }, state.verified);
        return verified === undefined ? ended(totals.problems === 0 ? "sound" : "damaged") : { ...state, verified };
      }
      case "compact":
        return ended((yield* call(context, compactMailbox, { mailboxKey })).outcome);
      case "retain": {
        if (state.result.verify !== "sound") return ended("withheld");
        const { outcome } = yield* call(context, retainMailbox, { mailboxKey });
        const rounds = state.rounds + 1;
        return outcome === "more" && rounds < MAX_ROUNDS ? { ...state, rounds } : ended(outcome);
      }
    }
  } catch {
    return ended("failed");
  }
}
