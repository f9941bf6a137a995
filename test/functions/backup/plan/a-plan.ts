import { expect } from "vitest";
import { openRun } from "../../../../functions/backup/backup.contract.ts";
import { foldedCatalogue } from "../../../../functions/backup/folded-catalogue.ts";
import { openRunActivity } from "../../../../functions/backup/open-run.activity.ts";
import { catalogueOf, emptyCatalogue } from "../../../../functions/backup/plan/catalogue.ts";
import { chunkChain } from "../../../../functions/backup/plan/chunk-chain.ts";
import { planCache } from "../../../../functions/backup/plan/plan-cache.ts";
import { runFolders } from "../../../../functions/backup/plan/run-folders.ts";
import { foldFindings } from "../../../../functions/backup/run-outcome.ts";
import { type Chunk, findChunk, readRun, readRunFolders, scratchOf } from "../../../../functions/backup/run-state.ts";
import type { Behaviours } from "../../../../local/graph/settings.ts";
import type { RunId } from "../../../../shared/contracts/ids.ts";
import { MAILBOX_SLOTS } from "../../../../shared/contracts/limits.ts";
import { semaphore } from "../../../../shared/graph/semaphore.ts";
import { runBackup } from "../../../support/backup-run.ts";
import { aMailboxInGraph, aRun, deliver } from "../../kit.ts";

/** After the runs that `backUp` makes. */
const aLaterRun: RunId = aRun.replace("20261122", "20261123");

type Kit = Awaited<ReturnType<typeof aMailboxInGraph>>;

/** A mailbox, and functions that plan its backup, one delivery after the other. */
export const aPlan = async (
  mailboxOptions: Parameters<typeof aMailboxInGraph>[0] = {},
  behaviours: Partial<Behaviours> = {},
) => {
  const kit = await aMailboxInGraph(mailboxOptions);
  const { admin, emulator, mailbox, openGraph, vault, state } = kit;
  const work = scratchOf(kit.work, mailbox.key);
  await admin.settings({ behaviours });
  const run = { mailbox, runId: aLaterRun };
  const inbox = await kit.folderId();

  const slots = semaphore(MAILBOX_SLOTS);
  const budget = () => ({ untilMs: Date.now() + 600_000, slots });
  /** Opens the run and finds its folders. */
  const open = async (full = false) => {
    await deliver(openRunActivity({ vault, work: kit.work, state, laneBudgetMs: 600_000 }), openRun, { ...run, full });
    const graph = openGraph(budget());
    const firstPages = { offer: () => {} };
    const deps = { graph, firstPages, vault, work, state: kit.state };
    await runFolders(deps, run, await readRun(work, mailbox.key, run.runId));
  };
  /** Plans from a chunk on, `maxChunks` at most; without `cache`, as a process that knows nothing of earlier chunks. */
  const plan = async (fromChunk = 0, maxChunks = 64, cache = planCache(), mayBegin = () => true) => {
    const { parent } = await readRun(work, mailbox.key, run.runId);
    const { folders } = await readRunFolders(work, run.runId);
    const its = { key: mailbox.key, runId: run.runId, folders };
    const catalogue = parent === null ? emptyCatalogue : catalogueOf(foldedCatalogue({ vault, work }, its, parent.id));
    const deps = { graphBehind: () => openGraph(budget()), work, catalogue, planCache: cache, mayBegin };
    const chain = await chunkChain(deps, { ...run, folders }, fromChunk);
    const chunks: Chunk[] = [];
    try {
      while (!chain.planned && chunks.length < maxChunks) chunks.push(await chain.extend());
    } finally {
      await chain.settled();
    }
    return { chunks, done: chain.planned };
  };
  /** Plans from a chunk to the end, each chunk as a lane that knows nothing of the others. */
  const planOn = async (from = 0): Promise<void> => {
    for (let chunk = from, done = false; !done; chunk += 1) done = (await plan(chunk, 1)).done;
  };
  const outcome = () => outcomeOf(kit, inbox);
  const backUp = (options: Parameters<typeof runBackup>[2] = {}) =>
    runBackup({ graphUrl: emulator.graphUrl, token: "emulator-token", vault, work: kit.work }, mailbox, options);
  const asked = async (endpoint: string) => (await admin.counters({})).requests[endpoint] ?? 0;
  return { ...kit, inbox, open, plan, planOn, outcome, backUp, asked };
};

/** What all chunks hold together. */
const outcomeOf = async ({ work: container, mailbox }: Kit, inbox: string) => {
  const work = scratchOf(container, mailbox.key);
  const chunks: Chunk[] = [];
  for (let chunk = await findChunk(work, aLaterRun, 0); chunk !== undefined; ) {
    chunks.push(chunk);
    chunk = await findChunk(work, aLaterRun, chunks.length);
  }
  const { folders } = await readRunFolders(work, aLaterRun);
  const { deltaLinks, removed } = foldFindings(chunks);
  const planned = chunks.flatMap(({ batches }) => batches.flat());
  return {
    chunks,
    planned,
    ids: planned.map(({ id }) => id).toSorted(),
    versions: new Set(planned.map(({ id, changeKey }) => `${id} ${changeKey}`)).size,
    removed: removed.map(({ id }) => id).toSorted(),
    finished: chunks.flatMap(({ finished }) => finished.map(({ folderId }) => folderId)),
    folders: folders.map(({ id }) => id),
    inboxLink: deltaLinks.get(inbox),
  };
};

export type PlanKit = Awaited<ReturnType<typeof aPlan>>;

/** Small pages: one folder takes several chunks of 20 pages, and listing and delta end in the middle of chunks. */
export const SMALL_PAGES = { maxPageSize: 2 };
/** Enough items for that. */
export const ITEMS = 60;

/** The ids of the items in the inbox. */
export const idsIn = async (kit: PlanKit): Promise<string[]> => (await kit.items()).map(({ id }) => id).toSorted();

/** Plans until a chunk ends amid the inbox's pages of a phase. Returns the number of the next chunk. */
export const planInto = async (kit: PlanKit, phase: "list" | "delta" | "changes"): Promise<number> => {
  for (let chunk = 0; ; chunk += 1) {
    const { done } = await kit.plan(chunk, 1);
    const { chunks, folders } = await kit.outcome();
    const next = chunks.at(-1)?.next;
    if (next?.phase === phase && next.link !== undefined && folders[next.folder] === kit.inbox) return chunk + 1;
    if (done) throw new Error(`No chunk ends amid ${phase} of the inbox`);
  }
};

/** Expects every item of the inbox to be planned once, and each folder to be finished. */
export const expectEachOnce = async (kit: PlanKit): Promise<void> => {
  const { ids, versions, finished, folders, inboxLink } = await kit.outcome();
  expect(ids).toEqual(await idsIn(kit));
  expect(versions).toBe(ids.length);
  expect(finished).toEqual(folders);
  expect(inboxLink).toBeDefined();
};

/** Changes an item, removes one and adds two after a first backup. Returns what a second must plan and find removed. */
export const afterABackup = async (kit: PlanKit) => {
  await kit.backUp();
  const [changed, removed] = await kit.items();
  await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: changed?.id ?? "", subject: "Changed" });
  await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: removed?.id ?? "" });
  const { ids } = await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 2 });
  return { planned: [changed?.id ?? "", ...ids].toSorted(), removed: [removed?.id ?? ""] };
};
