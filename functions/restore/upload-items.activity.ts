import type { ActivityHandler } from "durable-functions";
import { type ChunkRange, uploadItems } from "../../shared/contracts/restore.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import type { ItemImporter, OpenImporter } from "../../shared/graph/import-item.ts";
import { openImportSession } from "../../shared/graph/import-session.ts";
import type { Sealer } from "../../shared/security/seal.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import type { Ledgers } from "../../shared/work/ledger.ts";
import { ledgerName, readFolderMap, readRestoreChunk, readRestorePlan } from "../../shared/work/restore-state.ts";
import { importChunk, type LaneEnd } from "./import-chunk.ts";
import { sessionPurpose } from "./session-purpose.ts";

/** A session with less time than this is not used any more. Source: what a mailbox copy product does in production. */
const SESSION_RESERVE_MS = 5 * 60_000;

/** A lane with a short budget still waits out a passing refusal. */
const LEAST_PATIENCE_MS = 30_000;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly openImporter: OpenImporter;
  readonly importHosts: readonly string[];
  readonly sealer: Sealer;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly ledgers: Ledgers;
}

/**
 * One lane: imports chunk after chunk until its ranges are done, its time is up or the session ends.
 *
 * Run twice, even at the same time: each chunk's ledger has one holder, says what was imported, and an import whose
 * outcome it does not say is looked for in the mailbox before it is made again.
 */
export const uploadItemsActivity = (deps: Deps): ActivityHandler =>
  implement(uploadItems, async ({ restoreId, mailbox, ranges, session, budgetMs }) => {
    const { vault, work, ledgers } = deps;
    const started = Date.now();
    const sessionEnds = Date.parse(session.expires) - SESSION_RESERVE_MS;
    const deadline = Math.min(started + budgetMs, sessionEnds);
    let throttled = 0;
    const patience = {
      untilMs: started + Math.max(budgetMs, LEAST_PATIENCE_MS),
      throttled: () => {
        throttled += 1;
      },
    };
    const graph = deps.openGraph(patience);
    const imports = deps.openImporter(deps.sealer.open(session.sealed, sessionPurpose(restoreId)), patience);
    const elsewhere = new Map<string, ItemImporter>();
    const openElsewhere = async (id: string): Promise<ItemImporter> => {
      const { url } = await openImportSession(graph, { id, kind: "archive" }, deps.importHosts);
      return deps.openImporter(url, patience);
    };
    const plan = await readRestorePlan(work, restoreId);
    const folders = await readFolderMap(work, restoreId);

    const counts = { imported: 0, ambiguous: 0, failed: 0, bytes: 0 };
    let done = 0;
    let end: LaneEnd = "done";
    for (const chunk of numbers(ranges)) {
      if (Date.now() >= sessionEnds) break;
      const items = await readRestoreChunk(work, restoreId, plan, chunk);
      const ledger = await ledgers.open(ledgerName(restoreId, chunk));
      try {
        const context = {
          graph,
          imports,
          elsewhere,
          openElsewhere,
          vault,
          ledgers,
          restoreId,
          mailbox,
          folders,
          since: plan.started,
        };
        const result = await importChunk(context, items, ledger, deadline);
        end = result.end;
        if (end !== "done") break;
        for (const [item, entry] of result.settled) {
          counts[entry.op] += 1;
          if (entry.op === "imported") counts.bytes += items[item]?.rawBytes ?? 0;
        }
      } finally {
        await ledger.close();
      }
      done += 1;
    }
    return {
      ...counts,
      left: without(ranges, done),
      sessionEnded: end === "session-ended" || Date.now() >= sessionEnds,
      elapsedMs: Date.now() - started,
      throttled,
      waitMs: typeof end === "object" ? end.waitMs : 0,
    };
  });

function* numbers(ranges: readonly ChunkRange[]): Generator<number> {
  for (const { from, to } of ranges) for (let chunk = from; chunk < to; chunk += 1) yield chunk;
}

/** The ranges without their first `done` chunks. */
const without = (ranges: readonly ChunkRange[], done: number): ChunkRange[] => {
  let gone = done;
  return ranges.flatMap(({ from, to }) => {
    const start = Math.min(to, from + gone);
    gone -= start - from;
    return start < to ? [{ from: start, to }] : [];
  });
};
