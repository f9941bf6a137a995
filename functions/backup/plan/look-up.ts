import { mapBounded } from "../../../shared/bounded.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import { findItem, type LiveItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";

/** An item as its own look-up shows it; `unclear` where Graph refused the look-up, or its answer stayed broken. */
export type LookedUp = LiveItem | "gone" | "unclear";

/** The folder whose items are looked up. */
export interface LookUpContext {
  readonly graph: GraphClient;
  readonly mailbox: MailboxAddress;
  readonly folder: { readonly id: string };
}

/**
 * Looks up an item by its id in its folder.
 *
 * @throws {GraphError} when Graph throttles beyond the budget, or is down.
 */
export const lookUp = ({ graph, mailbox, folder }: LookUpContext, id: string): Promise<LookedUp> =>
  foundOrGone(() => findItem(graph, mailbox, folder.id, id));

/** What is found; `gone` where it is not there, `unclear` where Graph refuses to say or its answer stays broken. */
export const foundOrGone = async <T>(find: () => Promise<T>): Promise<T | "gone" | "unclear"> => {
  const answer = await unlessRefused(async () => {
    try {
      return await find();
    } catch (error) {
      if (isNotFound(error)) return "gone";
      throw error;
    }
  });
  return answer ?? "unclear";
};

/**
 * Looks up items by their ids, on the mailbox's slots: one request each, as a batch of Graph would send four of them at
 * a time on one slot.
 */
export const lookUpAll = async (
  context: LookUpContext,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LookedUp>> =>
  new Map(await mapBounded(ids, MAILBOX_SLOTS, async (id) => [id, await lookUp(context, id)] as const));

/**
 * Returns what Graph answers; `undefined` for a refusal or an answer that stays broken. Throttling is thrown: it ends
 * the lane.
 */
export const unlessRefused = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof GraphError && error.status >= 400 && error.status !== 429) return undefined;
    if (isBrokenAnswer(error)) return undefined;
    throw error;
  }
};
