import { toRestId } from "./exchange-ids.ts";

/** A snapshot does not have some ids of a selection. `positions` are theirs in the selection, counted from 0. */
export class UnknownItemsError extends Error {
  override readonly name = "UnknownItemsError";
  readonly positions: readonly number[];

  constructor(positions: readonly number[]) {
    super("The snapshot has no item for some of the ids");
    this.positions = positions;
  }
}

/** A list of REST or EWS ids that items are matched with. */
export interface ItemIds {
  /** Whether an item's id is in the list. */
  has(id: string): boolean;
  /** The positions of the ids for which `has` was never true. */
  unmatched(): number[];
}

export const itemIds = (ids: readonly string[]): ItemIds => {
  const restIds = ids.map(toRestId);
  const listed = new Set(restIds);
  const matched = new Set<string>();
  return {
    has: (id) => {
      const restId = toRestId(id);
      const isListed = listed.has(restId);
      if (isListed) matched.add(restId);
      return isListed;
    },
    unmatched: () => restIds.flatMap((id, position) => (matched.has(id) ? [] : [position])),
  };
};
