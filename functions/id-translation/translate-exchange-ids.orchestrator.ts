import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { call } from "../../shared/durable/activity.ts";
import { inFull, momentIn } from "../../shared/durable/pause.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations } from "../jobs/in-generations.steps.ts";
import {
  TranslateExchangeIdsInput as Input,
  type TranslateExchangeIdsInput,
  type TranslationResult,
  type TranslationTotals,
  translateIds,
} from "./id-translation.contract.ts";
import { refusalText } from "./refusal-text.steps.ts";

const NOTHING_DONE: TranslationTotals = { translated: 0, failed: 0, throttled: 0 };

/**
 * Translates the ids that a request left in scratch data. Makes one request to Graph at a time, so that backups and
 * restores of the mailbox can make theirs. Fails when Graph refuses to translate.
 */
export function* translateIdsOfMailbox(
  context: OrchestrationContext,
): Generator<Task, TranslationResult | (TranslationResult & Cancelled) | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  const { resume = { piece: 0, totals: NOTHING_DONE }, ids, wait, notBefore, ...translation } = input;
  const { pieces } = translation;
  return yield* inGenerations(context, {
    jobs: [context.df.instanceId],
    generation: { wait, notBefore },
    state: resume,
    *step({ piece, totals }) {
      const done = yield* call(context, translateIds, { ...translation, piece });
      if (done.refused !== undefined) throw new Error(refusalText(done.refused, "app"));
      const sum = addCounts(totals, done);
      if (done.next >= pieces) {
        context.df.setCustomStatus({ phase: "done", ids, ...sum });
        return { result: { ids, pieces, ...sum } };
      }
      const state = { piece: done.next, totals: sum };
      return done.waitMs > 0 ? { state, sleep: { until: momentIn(context, inFull(done.waitMs)) } } : { state };
    },
    show: ({ totals }, standing) => context.df.setCustomStatus({ phase: "translating", ids, ...totals, ...standing }),
    inputOf: (resume): TranslateExchangeIdsInput => ({ ...translation, ids, resume }),
    cancelled: ({ totals }) => ({ ids, pieces, ...totals, ...CANCELLED }),
  });
}
