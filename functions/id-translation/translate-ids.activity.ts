import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implement } from "../../shared/durable/activity.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { GraphError } from "../../shared/graph/graph-error.ts";
import { TranslationRefusedError, translateExchangeIds } from "../../shared/graph/translate-ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { translateIds } from "./id-translation.contract.ts";
import { findResults, idReader, keepResults, type TranslatedId } from "./translation-state.ts";

type Input = z.output<typeof translateIds.input>;

/**
 * Translates pieces of a job's ids, with one request each, until all are done, time is up, or Graph asks for a wait
 * beyond the deadline. One piece is begun even when no time is left.
 *
 * Run twice, it finds the results of the pieces that are done, and does not translate them again. Two deliveries at the
 * same time may both call Graph; the first results that are kept stand.
 */
export const translateIdsActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implement(translateIds, async (input) => {
    const deadline = Date.now() + deps.laneBudgetMs;
    const done = { next: input.piece, translated: 0, failed: 0, throttled: 0, waitMs: 0 };
    const throttled = (): void => {
      done.throttled += 1;
    };
    const graph = deps.openGraph({ untilMs: deadline, throttled });
    const idsOf = await idReader(deps.work, input.translationId);
    try {
      do {
        const results = await translatePiece(graph, deps.work, input, done.next, idsOf);
        const translated = results.filter((result) => "translated" in result).length;
        done.next += 1;
        done.translated += translated;
        done.failed += results.length - translated;
      } while (done.next < input.pieces && Date.now() < deadline);
      return done;
    } catch (error) {
      if (error instanceof TranslationRefusedError) return { ...done, refused: error.refusal };
      if (!(error instanceof GraphError) || error.status !== 429) throw error;
      return { ...done, waitMs: error.retryAfterMs ?? 0 };
    }
  });

/** The results of one piece, translated and kept unless they are there already. */
const translatePiece = async (
  graph: GraphClient,
  work: Blobs,
  { translationId, mailbox, from, to }: Input,
  piece: number,
  idsOf: (piece: number) => Promise<readonly string[]>,
): Promise<readonly TranslatedId[]> => {
  const kept = await findResults(work, translationId, piece);
  if (kept !== undefined) return kept;

  const ids = await idsOf(piece);
  const outcomes = await translateExchangeIds(graph, mailbox.userId, ids, { from, to });
  const results = outcomes.map((outcome, n) => ({ id: ids[n] ?? "", ...outcome }));
  return keepResults(work, translationId, piece, results);
};
