import type { HttpRequest } from "@azure/functions";
import type { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { translateExchangeIds } from "../../shared/graph/translate-ids.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";
import { guessFormat, toRestId } from "./exchange-ids.ts";
import { malformedIds } from "./malformed-ids.ts";
import { refusalOf } from "./refusal-of.ts";
import type { Translator } from "./translator.ts";

/** How long a caller is kept waiting for Graph. */
const GRAPH_DEADLINE_MS = 20_000;

/** Ids, and the format of all of them where it is named. */
interface NamedIds {
  readonly ids: readonly string[];
  readonly format?: ExchangeIdFormat | undefined;
}

/** Whether Graph has to be asked for the REST ids of some. */
export const needGraph = (named: NamedIds): boolean => formatsOf(named).some(asksGraph);

/** The problem of ids that cannot be of their format, or whose format is unclear. */
export const unreadableIds = ({ ids, format }: NamedIds): Problem | undefined => {
  const unclear = formatsOf({ ids, format }).flatMap((each, position) => (each === undefined ? [position] : []));
  return unclear.length > 0 ? unclearIds(unclear) : format && malformedIds(ids, format);
};

const formatsOf = ({ ids, format }: NamedIds): readonly (ExchangeIdFormat | undefined)[] =>
  ids.map((id) => format ?? guessFormat(id));

const asksGraph = (format: ExchangeIdFormat | undefined): format is Exclude<ExchangeIdFormat, "restId" | "ewsId"> =>
  format !== undefined && format !== "restId" && format !== "ewsId";

/**
 * Returns the REST ids, which the vault stores, of ids in the named format, or else each in the format that its shape
 * shows. REST and EWS ids need no call to Graph, so they also find items that are long gone. An id that Graph does not
 * know any more is returned as it is, and names nothing in the vault.
 *
 * A problem for ids that cannot be of their format, or whose format is unclear, with their positions; for a mailbox
 * whose ids Graph does not translate; and while Graph does not answer.
 */
export const resolveIds = async (
  translator: Translator,
  request: Pick<HttpRequest, "headers">,
  mailbox: Pick<MailboxRef, "userId">,
  { ids, format }: NamedIds,
): Promise<{ readonly ids: readonly string[] } | { readonly refusal: Problem }> => {
  const refusal = unreadableIds({ ids, format });
  if (refusal !== undefined) return { refusal };
  const formats = formatsOf({ ids, format });
  const from = formats.find(asksGraph);
  if (from === undefined) return { ids: ids.map(toRestId) };

  const openGraph = await translator.open(request);
  if (typeof openGraph !== "function") return { refusal: openGraph };
  const toTranslate = ids.filter((_, position) => formats[position] === from);
  try {
    const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const outcomes = await translateExchangeIds(graph, mailbox.userId, toTranslate, { from, to: "restId" });
    const restIds = new Map(
      outcomes.map((outcome, n) => [toTranslate[n], "translated" in outcome ? outcome.translated : undefined]),
    );
    return { ids: ids.map((id, n) => (formats[n] === from ? (restIds.get(id) ?? id) : toRestId(id))) };
  } catch (error) {
    return { refusal: refusalOf(error, translator.by) };
  }
};

const unclearIds = (positions: readonly number[]): Problem =>
  problem(
    400,
    "id-format-unclear",
    "The shape of some ids does not show their kind of entry id: name it with format, entryId or immutableEntryId.",
    { positions },
  );
