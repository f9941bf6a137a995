import type { HttpRequest } from "@azure/functions";
import type { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { translateExchangeIds } from "../../shared/graph/translate-ids.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";
import { guessFormat, toRestId } from "./exchange-ids.ts";
import { shapeCheck } from "./malformed-ids.ts";
import { refusalOf } from "./refusal-of.ts";
import type { Translator } from "./translator.ts";

/** How long a caller is kept waiting for Graph. */
const GRAPH_DEADLINE_MS = 20_000;

/**
 * The REST ids, by which the vault knows items, of ids in one format or, where that is not named, each in the format that
 * its shape tells. REST and EWS ids need no asking, so that what is long gone is found by them; an id that Graph does not
 * know any more comes back as it was given, and names nothing in the vault.
 *
 * A problem for ids that cannot be of the format, or are of an unknown one, with their positions; for a mailbox whose ids
 * Graph does not translate; and while Graph does not answer.
 */
export const resolveIds = async (
  translator: Translator,
  request: Pick<HttpRequest, "headers">,
  mailbox: Pick<MailboxRef, "userId">,
  { ids, format }: { readonly ids: readonly string[]; readonly format?: ExchangeIdFormat | undefined },
): Promise<{ readonly ids: readonly string[] } | { readonly refusal: Problem }> => {
  const formats = ids.map((id) => format ?? guessFormat(id));
  const unclear = formats.flatMap((known, position) => (known === undefined ? [position] : []));
  if (unclear.length > 0) return { refusal: unclearIds(unclear) };
  const malformed = format && malformedIn(ids, format);
  if (malformed !== undefined) return { refusal: malformed };
  const from = formats.find((known) => known !== "restId" && known !== "ewsId");
  if (from === undefined) return { ids: ids.map(toRestId) };

  const openGraph = await translator.open(request);
  if (typeof openGraph !== "function") return { refusal: openGraph };
  const foreign = ids.filter((_, position) => formats[position] === from);
  try {
    const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const outcomes = await translateExchangeIds(graph, mailbox.userId, foreign, { from, to: "restId" });
    const restIds = new Map(
      outcomes.map((outcome, n) => [foreign[n], "translated" in outcome ? outcome.translated : undefined]),
    );
    return { ids: ids.map((id, n) => (formats[n] === from ? (restIds.get(id) ?? id) : toRestId(id))) };
  } catch (error) {
    return { refusal: refusalOf(error, translator.by) };
  }
};

const malformedIn = (ids: readonly string[], format: ExchangeIdFormat): Problem | undefined => {
  const check = shapeCheck();
  for (const [position, id] of ids.entries()) check.look(id, position);
  return check.problem(format);
};

const unclearIds = (positions: readonly number[]): Problem =>
  problem(
    400,
    "id-format-unclear",
    "Some of the ids are binary entry ids of a kind that their shape does not tell: say with format which one, entryId or immutableEntryId.",
    { positions },
  );
