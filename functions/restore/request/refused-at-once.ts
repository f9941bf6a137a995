import { type Problem, problem } from "../../../shared/http/problem.ts";
import { unreadableIds } from "../../id-translation/resolve-ids.ts";
import type { RefusedRestore } from "./resolved-list-state.ts";
import type { ListEntry } from "./restore-request.ts";

/** The restores of a list that cannot start, as far as that shows without looking anything up. */
export const refusedAtOnce = (specs: readonly ListEntry[]): readonly RefusedRestore[] => {
  const ownOf = repetitions();
  return specs.flatMap(({ priority: _, ...spec }, position) => {
    const first = ownOf(JSON.stringify(spec), position);
    const found = "items" in spec.select ? unreadableIds({ ...spec.select, ids: spec.select.items }) : undefined;
    const refusal = found ?? (first === position ? undefined : repeated(first));
    return refusal === undefined ? [] : [{ ...refusal, position }];
  });
};

/** Returns the first position of what was seen before, else the one that is given. */
export const repetitions = (): ((what: string, position: number) => number) => {
  const firsts = new Map<string, number>();
  return (what, position) => {
    const first = firsts.get(what) ?? position;
    firsts.set(what, first);
    return first;
  };
};

/** A repetition of an earlier restore is a mistake. */
export const repeated = (first: number): Problem =>
  problem(400, "restore-repeated", `This repeats position ${first}: leave one of them out.`, { first });
