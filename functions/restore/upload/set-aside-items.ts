import type { Stopped } from "../restore.contract.ts";
import type { ItemQueue, TakenItem } from "./item-queue.ts";
import type { Settled } from "./ledger.ts";

/** Items that a fresh session refuses in a row before nothing more is tried. Our own choice. */
const MAX_REFUSED = 100;

/** Few enough to be items that Exchange does not want, at the end of a restore that imported others. Our own choice. */
const FEW = 10;

type End = (taken: TakenItem, entry: Settled) => Promise<void>;

/**
 * The items that the session of a wave refused with 403. That may be about the item, about the session, or about the
 * app's rights. It is about the item when another session refused it before, and this one takes other items. It is
 * about the app's rights when a second session refuses every item that is left.
 */
export interface SetAsideItems {
  /** Sets a refused item aside; true when the session refuses so many that no other item is to be tried. */
  add(taken: TakenItem, code: string, end: End): Promise<boolean>;
  /** To be called when the session took an item. */
  accepted(end: End): Promise<void>;
  /** What the items that are still aside mean, once all lanes have ended. */
  judge(wave: { readonly triedAll: boolean; readonly end: End }): Promise<{
    readonly sessionEnded: boolean;
    readonly stopped: Stopped | undefined;
  }>;
}

export const setAsideItems = (wave: {
  readonly queue: Pick<ItemQueue, "setAside" | "settled">;
  readonly session: string;
  readonly fresh: boolean;
  readonly proven: boolean;
  readonly lanes: number;
}): SetAsideItems => {
  const { queue, session, fresh, proven, lanes } = wave;
  /** Items that another session refused too. */
  let again: { readonly taken: TakenItem; readonly code: string }[] = [];
  let once = 0;
  let hasAccepted = false;
  let inARow = 0;
  const most = fresh ? MAX_REFUSED : lanes;

  /** The items are refused for what they are. */
  const fail = async (end: End): Promise<void> => {
    const refused = again;
    again = [];
    for (const { taken, code } of refused) await end(taken, { op: "failed", item: taken.item, code });
  };

  return {
    add: async (taken, code, end) => {
      queue.setAside(taken);
      inARow += 1;
      if (taken.refusedBy !== undefined && taken.refusedBy !== session) again.push({ taken, code });
      else once += 1;
      if (hasAccepted) await fail(end);
      return inARow >= most;
    },
    accepted: async (end) => {
      hasAccepted = true;
      inARow = 0;
      await fail(end);
    },
    judge: async ({ triedAll, end }) => {
      const [first] = again;
      if (first === undefined || once > 0 || !(triedAll || again.length >= MAX_REFUSED))
        return { sessionEnded: once + again.length > 0, stopped: undefined };
      if (again.length > FEW || !(proven || queue.settled.some(({ entry }) => "itemId" in entry)))
        return { sessionEnded: true, stopped: { reason: "not-permitted", code: first.code } };
      await fail(end);
      return { sessionEnded: false, stopped: undefined };
    },
  };
};
