import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { TRANSLATE_IDS_LIMIT } from "../../shared/contracts/limits.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { GraphError } from "../../shared/graph/graph-error.ts";
import { TranslationRefusedError, translateExchangeIds } from "../../shared/graph/translate-ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { translateIds } from "./id-translation.contract.ts";
import { findResults, keepResults, readIds, type TranslatedId } from "./translation-state.ts";

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
    const earlier = earlierResults(deps.work, input);
    try {
      do {
        const results = await translatePiece(graph, deps.work, input, done.next, earlier);
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

type Earlier = (position: number) => Promise<TranslatedId>;

/** The results of one piece, translated and kept unless they are there already. */
const translatePiece = async (
  graph: GraphClient,
  work: Blobs,
  { translationId, mailbox, from, to }: Input,
  piece: number,
  earlier: Earlier,
): Promise<readonly TranslatedId[]> => {
  const kept = await findResults(work, translationId, piece);
  if (kept !== undefined) return kept;

  const entries = await readIds(work, translationId, piece);
  const ids = entries.filter((entry) => typeof entry === "string");
  const outcomes = await translateExchangeIds(graph, mailbox.userId, ids, { from, to });
  const own = new Map(ids.map((id, n) => [id, { id, ...outcomes[n] } as TranslatedId]));
  const first = piece * TRANSLATE_IDS_LIMIT;
  const results: TranslatedId[] = [];
  for (const entry of entries) {
    const result =
      typeof entry === "string" ? own.get(entry) : entry >= first ? results[entry - first] : await earlier(entry);
    if (result === undefined)
      throw new Error(`Translation ${translationId} names an id in piece ${piece} that is not there`);
    results.push(result);
  }
  return keepResults(work, translationId, piece, results);
};

/** Pieces of earlier results in memory: repeated ids mostly lie close together. */
const MAX_CACHED_PIECES = 16;

/** Looks up results of earlier pieces, with a least-recently-used cache. */
const earlierResults = (work: Blobs, { translationId }: Pick<Input, "translationId">): Earlier => {
  const cache = new Map<number, readonly TranslatedId[]>();

  const pieceOf = async (piece: number): Promise<readonly TranslatedId[]> => {
    const results = cache.get(piece) ?? (await findResults(work, translationId, piece)) ?? [];
    cache.delete(piece);
    cache.set(piece, results);
    for (const oldest of cache.keys()) if (cache.size > MAX_CACHED_PIECES) cache.delete(oldest);
    return results;
  };

  return async (position) => {
    const piece = Math.floor(position / TRANSLATE_IDS_LIMIT);
    const result = (await pieceOf(piece))[position % TRANSLATE_IDS_LIMIT];
    if (result === undefined) throw new Error(`Translation ${translationId} has no results of piece ${piece}`);
    return result;
  };
};
