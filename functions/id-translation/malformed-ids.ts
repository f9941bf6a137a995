import type { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";
import { type IdShape, isShaped, shapeOf } from "./exchange-ids.ts";

/** Positions that are told: more would not help whoever made the ids. */
const MAX_POSITIONS = 100;

const SHAPES: readonly IdShape[] = ["binary", "ews", "rest"];

/** Finds the ids that cannot be of a format, for each format at once: it may be named only after all the ids. */
export interface ShapeCheck {
  look(id: string, position: number): void;
  /** 400 that says which of the ids cannot be of a format; `undefined` when all can. */
  problem(format: ExchangeIdFormat): Problem | undefined;
}

export const shapeCheck = (): ShapeCheck => {
  const found = SHAPES.map((shape) => ({ shape, count: 0, positions: [] as number[] }));
  return {
    look: (id, position) => {
      for (const wrong of found) {
        if (isShaped(wrong.shape, id)) continue;
        wrong.count += 1;
        if (wrong.positions.length < MAX_POSITIONS) wrong.positions.push(position);
      }
    },
    problem: (format) => {
      const { count = 0, positions = [] } = found.find(({ shape }) => shape === shapeOf(format)) ?? {};
      if (count === 0) return undefined;
      const detail = `Some of the ids are no ${format}: ${MEANING[shapeOf(format)]}.`;
      return problem(400, "malformed-ids", detail, { count, positions });
    },
  };
};

const MEANING: Readonly<Record<IdShape, string>> = {
  binary:
    "that is base64 with - for + and _ for /, and in place of its padding a digit at the end, which says how long that was",
  ews: "that is base64 with its padding",
  rest: "that is base64 with its padding, with - for / and _ for +",
};
