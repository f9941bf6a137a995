import { mapBounded } from "../../../shared/bounded.ts";
import { type FindMailbox, mailboxFinder } from "../../../shared/mailboxes.ts";
import { memoize } from "../../../shared/memoize.ts";
import { needGraph, resolveIds } from "../../id-translation/resolve-ids.ts";
import { MAILBOX_NOT_FOUND } from "./resolve-restore.ts";
import type { RefusedRestore } from "./resolved-list-state.ts";
import type { ListEntry } from "./restore-request.ts";
import type { ResolveDeps } from "./start-deps.ts";

/** How long a caller is kept waiting for the directory. */
const GRAPH_DEADLINE_MS = 120_000;

/** Restores whose ids are translated at the same time. */
const WIDTH = 8;

/**
 * The REST ids of the selections that only the caller's own token can translate, by position. That token is not kept,
 * so these ids cannot wait for the job. Empty where the app translates ids itself.
 */
export const callerIds = async (
  { translator, request, vault, openGraph }: Pick<ResolveDeps, "translator" | "request" | "vault" | "openGraph">,
  specs: readonly ListEntry[],
): Promise<
  { readonly restIds: ReadonlyMap<number, readonly string[]> } | { readonly refused: readonly RefusedRestore[] }
> => {
  const wanted = translator.by === "app" ? [] : specs.flatMap(byForeignIds);
  if (wanted.length === 0) return { restIds: new Map() };
  const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
  const find: FindMailbox = memoize(mailboxFinder(graph, vault));
  const outcomes = await mapBounded(wanted, WIDTH, async ({ position, mailbox: name, named }) => {
    const mailbox = await find(name);
    const found =
      mailbox === undefined ? { refusal: MAILBOX_NOT_FOUND } : await resolveIds(translator, request, mailbox, named);
    return { position, ...found };
  });
  const refused = outcomes.flatMap((outcome) =>
    "refusal" in outcome ? [{ ...outcome.refusal, position: outcome.position }] : [],
  );
  if (refused.length > 0) return { refused };
  return {
    restIds: new Map(outcomes.flatMap((outcome) => ("ids" in outcome ? [[outcome.position, outcome.ids]] : []))),
  };
};

/** A restore of items by ids that only Graph can translate. */
const byForeignIds = ({ mailbox, select }: ListEntry, position: number) => {
  if (!("items" in select)) return [];
  const named = { ids: select.items, format: select.format };
  return needGraph(named) ? [{ position, mailbox, named }] : [];
};
