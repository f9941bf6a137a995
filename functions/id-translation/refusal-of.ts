import { GraphError } from "../../shared/graph/graph-error.ts";
import { TranslationRefusedError } from "../../shared/graph/translate-ids.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";
import { refusalText } from "./refusal-text.steps.ts";
import type { Translator } from "./translator.ts";

/** The problem for a caller whose ids Graph did not translate. Throws errors that it does not know. */
export const refusalOf = (error: unknown, by: Translator["by"]): Problem => {
  if (error instanceof TranslationRefusedError)
    return error.refusal === "user"
      ? problem(404, "user-not-found", refusalText("user", by))
      : problem(403, "translation-refused", refusalText("permission", by));
  if (!(error instanceof GraphError) || !isPassing(error)) throw error;
  const seconds = Math.ceil((error.retryAfterMs ?? 0) / 1000);
  const wait = seconds === 0 ? {} : { retryAfterSeconds: seconds };
  return problem(503, "graph-busy", "Graph does not answer at the moment: try again later.", wait);
};

const isPassing = ({ status }: GraphError): boolean => status === 0 || status === 429 || status >= 500;
