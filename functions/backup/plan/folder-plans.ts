import type { RunId } from "../../../shared/contracts/ids.ts";
import { PAGE_ITEMS } from "../../../shared/contracts/limits.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { PlanCursor, PlannedItem, RunFolder } from "../run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import { cursorAt, type FolderStep, folderStep } from "./folder-step.ts";
import { type FirstPages, type ItemPages, itemPages } from "./item-pages.ts";
import { folderSoFar, rebuild } from "./planned-before.ts";
import { type PlannedItems, plannedItems } from "./planned-items.ts";

/** Folders that are planned at the same time: as many as there are slots, and some whose pages are being read. */
const MAX_UNDER_WAY = 6;

/**
 * Most items of steps that wait for their chunk, or are under way. A page of them takes megabytes while it is parsed,
 * and those of all mailboxes of a process may come at once.
 */
const MAX_ITEMS_AHEAD = 500;

/** Most folders that are planned before their turn. */
const MAX_FOLDERS_AHEAD = 64;

/** Most items, as Graph counts them, of folders that are compared with the catalogue at the same time. */
const MAX_COMPARED_ITEMS = 40_000;

/** A folder that is being planned, by steps that run ahead of the chunks. */
interface FolderPlan {
  readonly planned: PlannedItems;
  /** Where its next step begins; `undefined` once it is planned to its end. */
  at: PlanCursor | undefined;
  /** Steps that no chunk has taken yet. */
  readonly steps: FolderStep[];
  /** Why a step failed. What it noted is not whole, so that the folder is planned anew. */
  failure?: { readonly error: unknown };
}

/** What a planner knows of its folders, for the planner that goes on from the same chunk. */
export interface CachedPlan {
  readonly folders: Map<number, FolderPlan>;
}

export const nothingPlanned = (): CachedPlan => ({ folders: new Map() });

/** Where the chunk in the making stands that waits for a folder's next step. */
export interface ChunkPoint {
  readonly number: number;
  /** Where the folder goes on, with the items that the chunk before carried over. */
  readonly cursor: PlanCursor;
  /** The items of the chunk so far. */
  readonly items: readonly PlannedItem[];
}

/** The steps of a run's folders. */
export interface FolderPlans {
  /** The next step of the folder whose turn it is. @throws the error of that step. */
  take(point: ChunkPoint): Promise<FolderStep>;
  /** Forgets what is known: the chain goes on elsewhere than these steps. */
  forget(): void;
  /** Begins no more steps before their turn; resolves when none is under way any more. */
  settled(): Promise<void>;
}

export interface PlanDeps {
  /** Graph for work that others come before, for as long as it `mayWait`. */
  readonly graphBehind: (mayWait: () => boolean) => GraphClient;
  readonly firstPages?: Pick<FirstPages, "take"> | undefined;
  readonly work: Blobs;
}

/**
 * Plans folders step by step, several at a time: the one whose turn it is like all other work of the mailbox, and those
 * after it with the slots that are left. Steps wait for the chunk that takes them, in the order of the folders, so that
 * chunks do not depend on which answer comes first.
 */
export const folderPlans = (
  { graphBehind, firstPages, work }: PlanDeps,
  catalogue: Catalogue,
  run: { readonly mailbox: MailboxAddress; readonly runId: RunId; readonly folders: readonly RunFolder[] },
  cached: CachedPlan,
  mayBegin: () => boolean,
): FolderPlans => {
  const { folders } = run;
  const underWay = new Map<FolderPlan, Promise<void>>();
  const clients = new Map<number, { readonly graph: GraphClient; readonly pages: ItemPages }>();
  /** Steps that need a chunk to wait for them, and that have to know the items that earlier ones planned. */
  const waiting = new Map<number, (point: ChunkPoint | undefined) => void>();
  let turn = 0;
  let point: ChunkPoint | undefined;
  let stopped = false;

  const clientOf = (folder: number) => {
    const known = clients.get(folder);
    if (known !== undefined) return known;
    const graph = graphBehind(() => folder !== turn);
    const client = { graph, pages: itemPages(graph, run.mailbox, firstPages) };
    clients.set(folder, client);
    return client;
  };

  /** The items of a folder that earlier steps planned. All of them are in chunks by the time that one waits. */
  const plannedSoFar = async function* (folder: number): AsyncGenerator<PlannedItem> {
    const known = point?.cursor.folder === folder ? point : undefined;
    const isEarly = known === undefined && !stopped;
    const at = isEarly ? await new Promise<ChunkPoint | undefined>((resolve) => waiting.set(folder, resolve)) : known;
    if (at === undefined) throw new Error(`The plan of folder ${folder} was stopped before its turn`);
    const { cursor, number, items } = at;
    for await (const earlier of folderSoFar(work, run, { ...cursor, carry: [] }, number)) yield* earlier.items;
    yield* items.filter(({ folderId }) => folderId === folders[folder]?.id);
  };

  const advance = (folder: number, plan: FolderPlan, cursor: PlanCursor): Promise<void> => {
    const facts = folders[folder] as RunFolder;
    const { planned } = plan;
    const context = { ...clientOf(folder), mailbox: run.mailbox, folder: facts, cursor, planned, catalogue };
    const end = folderStep(context, () => plannedSoFar(folder))
      .then(
        (step) => {
          plan.steps.push(step);
          plan.at = step.next;
          if (step.next === undefined) clients.delete(folder);
        },
        (error: unknown) => {
          plan.failure = { error };
        },
      )
      .then(() => {
        underWay.delete(plan);
        fill();
      });
    underWay.set(plan, end);
    return end;
  };

  /** The items that a step may show. A round of changes shows few. */
  const expectedItems = (folder: number, at: PlanCursor | undefined): number =>
    at?.phase === "changes" ? 0 : Math.min(PAGE_ITEMS, folders[folder]?.itemCount ?? 0);

  const begin = (folder: number): FolderPlan => {
    const planned = plannedItems();
    for (const item of folders[folder]?.lost ?? []) planned.plan(item);
    const plan: FolderPlan = { planned, at: cursorAt(folders, folder, 0), steps: [] };
    cached.folders.set(folder, plan);
    return plan;
  };

  /** Begins as many steps as there is room for, those of the first folders first. */
  const fill = (): void => {
    if (stopped || !mayBegin()) return;
    let ahead = 0;
    for (const [folder, plan] of cached.folders) {
      for (const { items } of plan.steps) ahead += items.length;
      if (folder !== turn && underWay.has(plan)) ahead += expectedItems(folder, plan.at);
    }
    let compared = 0;
    const end = Math.min(folders.length, turn + MAX_FOLDERS_AHEAD);
    for (let folder = turn; folder < end && ahead < MAX_ITEMS_AHEAD; folder += 1) {
      if (underWay.size >= MAX_UNDER_WAY) return;
      const known = cached.folders.get(folder);
      if (known !== undefined && (known.at === undefined || known.failure !== undefined)) continue;
      const facts = folders[folder] as RunFolder;
      compared += facts.known && facts.deltaLink === undefined ? facts.itemCount : 0;
      if (folder > turn && compared > MAX_COMPARED_ITEMS) return;
      // The folder whose turn it is may have been begun by chunks that have to be read first.
      if (known === undefined && folder === turn) continue;
      const plan = known ?? begin(folder);
      if (underWay.has(plan) || plan.at === undefined) continue;
      if (folder !== turn) ahead += expectedItems(folder, plan.at);
      void advance(folder, plan, plan.at);
    }
  };

  const planOf = async ({ cursor, number }: ChunkPoint): Promise<FolderPlan> => {
    const known = cached.folders.get(cursor.folder);
    if (known !== undefined) return known;
    const plan: FolderPlan = { planned: await rebuild(work, run, cursor, number), at: cursor, steps: [] };
    cached.folders.set(cursor.folder, plan);
    return plan;
  };

  return {
    take: async (at) => {
      const { folder } = at.cursor;
      turn = folder;
      for (;;) {
        const plan = await planOf(at);
        const step = plan.steps.shift();
        if (step !== undefined) {
          if (step.next === undefined) cached.folders.delete(folder);
          return step;
        }
        if (plan.failure !== undefined) throw plan.failure.error;
        const end = underWay.get(plan) ?? (plan.at && advance(folder, plan, plan.at));
        fill();
        point = at;
        waiting.get(folder)?.(at);
        waiting.delete(folder);
        await end;
        point = undefined;
      }
    },
    forget: () => cached.folders.clear(),
    settled: async () => {
      stopped = true;
      for (const resolve of waiting.values()) resolve(undefined);
      await Promise.all(underWay.values());
      for (const [folder, { failure }] of cached.folders) if (failure !== undefined) cached.folders.delete(folder);
    },
  };
};
