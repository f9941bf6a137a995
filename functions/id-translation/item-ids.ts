import { toRestId } from "./exchange-ids.ts";

/** The ids of a selection that a snapshot does not hold, by their positions in it, counted from 0. */
export class UnknownItemsError extends Error {
  override readonly name = "UnknownItemsError";
  readonly positions: readonly number[];

  constructor(positions: readonly number[]) {
    super("The snapshot has no item of some of the ids");
    this.positions = positions;
  }
}

/** Tells items that are named by REST or EWS id, and which of the names none of them bore. */
export interface ItemIds {
  has(id: string): boolean;
  /** The positions of the ids for which `has` was never true. */
  unmet(): number[];
}

export const itemIds = (ids: readonly string[]): ItemIds => {
  const wanted = ids.map(toRestId);
  const known = new Set(wanted);
  const met = new Set<string>();
  return {
    has: (id) => {
      const rest = toRestId(id);
      const isWanted = known.has(rest);
      if (isWanted) met.add(rest);
      return isWanted;
    },
    unmet: () => wanted.flatMap((id, position) => (met.has(id) ? [] : [position])),
  };
};
