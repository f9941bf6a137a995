import type { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";
import { type IdShape, isShaped, shapeOf } from "./exchange-ids.ts";

/** Positions in a problem: more would not help the caller. */
const MAX_POSITIONS = 100;

const SHAPES: readonly IdShape[] = ["binary", "ews", "rest"];

/** Finds the ids that cannot be of a format, for all formats at once: a body may name the format after the ids. */
export interface ShapeCheck {
  add(id: string, position: number): void;
  /** 400 with the positions of ids that cannot be of a format; `undefined` when all can. */
  problem(format: ExchangeIdFormat): Problem | undefined;
}

export const shapeCheck = (): ShapeCheck => {
  const malformed = SHAPES.map((shape) => ({ shape, count: 0, positions: [] as number[] }));
  return {
    add: (id, position) => {
      for (const ids of malformed) {
        if (isShaped(ids.shape, id)) continue;
        ids.count += 1;
        if (ids.positions.length < MAX_POSITIONS) ids.positions.push(position);
      }
    },
    problem: (format) => {
      const { count = 0, positions = [] } = malformed.find(({ shape }) => shape === shapeOf(format)) ?? {};
      if (count === 0) return undefined;
      const detail = `Some of the ids cannot be a ${format}: ${MEANING[shapeOf(format)]}.`;
      return problem(400, "malformed-ids", detail, { count, positions });
    },
  };
};

const MEANING: Readonly<Record<IdShape, string>> = {
  binary: "expected base64 with - for + and _ for /, and the length of its padding as a digit in place of the padding",
  ews: "expected base64 with its padding",
  rest: "expected base64 with its padding, with - for / and _ for +",
};
