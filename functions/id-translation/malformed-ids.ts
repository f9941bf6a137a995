import type { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";
import { type IdShape, isShaped, shapeOf } from "./exchange-ids.ts";

/** Positions in a problem: more would not help the caller. */
const MAX_POSITIONS = 100;

/** 400 with the positions of ids that cannot be of a format; `undefined` when all can. */
export const malformedIds = (ids: readonly string[], format: ExchangeIdFormat): Problem | undefined => {
  const shape = shapeOf(format);
  const positions = ids.flatMap((id, position) => (isShaped(shape, id) ? [] : [position]));
  if (positions.length === 0) return undefined;
  return problem(400, "malformed-ids", `Some of the ids cannot be a ${format}: ${MEANING[shape]}.`, {
    count: positions.length,
    positions: positions.slice(0, MAX_POSITIONS),
  });
};

const MEANING: Readonly<Record<IdShape, string>> = {
  binary: "expected base64 with - for + and _ for /, and the length of its padding as a digit in place of the padding",
  ews: "expected base64 with its padding",
  rest: "expected base64 with its padding, with - for / and _ for +",
};
