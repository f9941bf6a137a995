import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import { momentIn } from "../../shared/durable/pause.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations } from "../jobs/in-generations.steps.ts";
import {
  holdLeaver,
  ProtectLeaverInput as Input,
  type ProtectLeaverInput,
  type ProtectLeaverResult,
  startLastBackup,
} from "./leaver.contract.ts";

/** Between two tries while a mailbox is being backed up anyway. */
const RETRY_MS = 5 * 60_000;

/** A day of tries. A tenant-wide backup that takes longer backs the mailbox up itself. */
const MAX_TRIES = 288;

const BEGINNING = { held: 0, backedUp: 0, started: 0, tries: 0 };

/**
 * Protects the mailboxes of someone who leaves: first the holds, which wait for nothing, then a last backup of each.
 */
export function* protectLeaver(
  context: OrchestrationContext,
): Generator<Task, ProtectLeaverResult | (ProtectLeaverResult & Cancelled) | undefined, unknown> {
  const { mailboxes, resume = BEGINNING, ...generation } = Input.parse(context.df.getInput());
  return yield* inGenerations(context, {
    jobs: [context.df.instanceId],
    generation,
    state: resume,
    *step(state) {
      const { held, backedUp, started, tries } = state;
      const [toHold] = mailboxes.slice(held);
      if (toHold !== undefined) {
        yield* call(context, holdLeaver, { mailbox: toHold });
        return { state: { ...state, held: held + 1 } };
      }
      const [mailbox] = mailboxes.slice(backedUp);
      if (mailbox === undefined) {
        context.df.setCustomStatus({ phase: "done", held, started });
        return { result: { held, started } };
      }
      const { outcome } = yield* call(context, startLastBackup, { mailbox });
      const next = { ...state, backedUp: backedUp + 1, tries: 0 };
      if (outcome === "started") return { state: { ...next, started: started + 1 } };
      if (tries + 1 === MAX_TRIES) return { state: next };
      return { state: { ...state, tries: tries + 1 }, sleep: { until: momentIn(context, RETRY_MS) } };
    },
    show: ({ held, started }, standing) => {
      const phase = held < mailboxes.length ? "holding" : "backing-up";
      context.df.setCustomStatus({ phase, held, started, ...standing });
    },
    inputOf: (resume): ProtectLeaverInput => ({ mailboxes, resume }),
    cancelled: ({ held, started }) => ({ held, started, ...CANCELLED }),
  });
}
