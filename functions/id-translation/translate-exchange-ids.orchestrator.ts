import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { call } from "../../shared/durable/activity.ts";
import { inFull, pause } from "../../shared/durable/pause.ts";
import {
  TranslateExchangeIdsInput as Input,
  type TranslateExchangeIdsInput,
  type TranslationResult,
  type TranslationTotals,
  translateIds,
} from "./id-translation.contract.ts";
import { refusalText } from "./refusal-text.steps.ts";

/** Activities in one generation: history is replayed for each result, so it must stay short. */
const CALLS_PER_GENERATION = 20;

const NOTHING_DONE: TranslationTotals = { translated: 0, failed: 0, throttled: 0 };

/**
 * Translates the ids that a request left in scratch data. Makes one request to Graph at a time, so that backups and
 * restores of the mailbox can make theirs. Fails when Graph refuses to translate.
 */
export function* translateIdsOfMailbox(
  context: OrchestrationContext,
): Generator<Task, TranslationResult | undefined, unknown> {
  const { resume = { piece: 0, totals: NOTHING_DONE }, ids, ...translation } = Input.parse(context.df.getInput());
  let { piece, totals } = resume;

  for (let calls = 0; calls < CALLS_PER_GENERATION && piece < translation.pieces; calls += 1) {
    context.df.setCustomStatus({ phase: "translating", ids, ...totals });
    const done = yield* call(context, translateIds, { ...translation, piece });
    if (done.refused !== undefined) throw new Error(refusalText(done.refused, "app"));
    piece = done.next;
    totals = addCounts(totals, done);
    yield* pause(context, inFull(done.waitMs));
  }

  if (piece < translation.pieces) {
    context.df.continueAsNew({ ...translation, ids, resume: { piece, totals } } satisfies TranslateExchangeIdsInput);
    return undefined;
  }
  context.df.setCustomStatus({ phase: "done", ids, ...totals });
  return { ids, pieces: translation.pieces, ...totals };
}
