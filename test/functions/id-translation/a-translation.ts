import type { GraphEmulator } from "../../../local/graph/emulator.ts";
import type { ExchangeIdFormat } from "../../../shared/contracts/id-formats.ts";
import { translateExchangeIds } from "../../../shared/graph/translate-ids.ts";
import { aMailboxInGraph, anotherMailbox } from "../kit.ts";

export const aTranslationId = "20261122T093000Z-xyz567";

/** A mailbox in Graph, the ids of its items in any format, and one of another mailbox. */
export const aMailboxWithIds = async (...options: Parameters<typeof aMailboxInGraph>) => {
  const kit = await aMailboxInGraph({ items: 6, bytes: { fixed: 1 }, ...options[0] }, options[1]);
  const restIds = (await kit.items()).map(({ id }) => id);
  const idsAs = async (format: ExchangeIdFormat, ids: readonly string[] = restIds): Promise<string[]> => {
    if (format === "restId") return [...ids];
    const graph = kit.openGraph({ untilMs: Date.now() + 600_000 });
    const outcomes = await translateExchangeIds(graph, kit.mailbox.userId, ids, { from: "restId", to: format });
    return outcomes.map((outcome) => ("translated" in outcome ? outcome.translated : "none"));
  };
  const foreignId = async (): Promise<string> => {
    const other = await anotherMailbox(kit);
    const { ids } = await kit.admin["create-items"]({ mailbox: other.id, folder: "inbox", count: 1 });
    return ids[0] ?? "";
  };
  const requests = () => requestsOf(kit.admin);
  return { ...kit, restIds, idsAs, foreignId, requests };
};

/** The number of requests to translate ids. */
const requestsOf = async (admin: GraphEmulator["admin"]): Promise<number> =>
  (await admin.counters({})).requests["translate-ids"] ?? 0;
