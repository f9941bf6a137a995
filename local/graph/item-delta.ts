import { type DeltaPosition, type DeltaToken, deltaLink, readDeltaToken } from "./delta-token.ts";
import { badRequest } from "./errors.ts";
import { hashText } from "./generated-content.ts";
import { itemView } from "./item-view.ts";
import { allowOptions, numberOption, parseFilter, preferredPageSize, project, timeLiteral } from "./odata.ts";
import { folderOf } from "./places.ts";
import type { Behaviours } from "./settings.ts";
import { sparseItem } from "./sparse-views.ts";
import { type FolderState, isSuperseded, type LogEntry, logKey, lowerBound } from "./state/folder-state.ts";
import { seedItemsFrom } from "./state/mailbox-state.ts";
import type { ItemRecord } from "./state/records.ts";
import { contextUrl, type MailboxCall, paramOf, type Reply } from "./world.ts";

/** Log versions number changes from 1. */
const BEFORE_ALL = 0;

interface DeltaEntry {
  readonly id: string;
  readonly item?: ItemRecord;
  /** What changed since the round began of an item that was there before; absent for one that is new. */
  readonly changed?: ReadonlySet<string>;
  readonly removed?: string;
  /** A removed item as it was. */
  readonly last?: ItemRecord;
}

interface Page {
  readonly entries: DeltaEntry[];
  readonly next: DeltaPosition;
  readonly isLast: boolean;
}

/**
 * GET .../folders/{folder}/items/delta: the folder's items first, then what changed since.
 *
 * @doc Shape, links, `@removed`, page preference. @guess The first round lists in folder order.
 */
export const itemDelta = (call: MailboxCall): Reply => {
  const { world, mailbox, request } = call;
  const { behaviours } = world.settings();
  allowDeltaOptions(call);
  const folder = folderOf(call, paramOf(call, "folder"), "ErrorSyncFolderNotFound");
  const scope = `${mailbox.id} items ${folder.key}`;
  const token = readDeltaToken(call, scope, folder.deltaGeneration) ?? firstToken(call, folder, scope);
  const size = Math.min(
    preferredPageSize(request.header("prefer")) ?? token.size ?? behaviours.defaultPageSize,
    behaviours.maxPageSize,
  );

  const page =
    behaviours.deltaEmptyPages && token.page % 2 === 1
      ? { entries: [], next: token.position, isLast: false }
      : pageAt(call, folder, token.position, size);
  const first = page.entries[0];
  const shown = behaviours.deltaDuplicates && first !== undefined ? [...page.entries, first] : page.entries;
  const isLater = token.position.phase === "changes";
  const told = isLater ? shown.filter((entry) => !isForgotten(entry, behaviours)) : shown;
  const flickers = behaviours.deltaFlickers && isLater;
  const next = page.isLast ? afterRound(page.next, behaviours.deltaReplays) : page.next;

  return {
    status: 200,
    json: {
      "@odata.context": contextUrl(call, "Collection(mailboxItem)"),
      value: (flickers ? told.flatMap(flickering) : told).map((entry) =>
        project(entryView(call, entry), token.select?.split(",")),
      ),
      ...deltaLink(call, { ...token, page: token.page + 1, position: next }, page.isLast),
    },
  };
};

const entryView = ({ world, mailbox }: MailboxCall, { id, item, changed, removed }: DeltaEntry) => {
  const { behaviours } = world.settings();
  if (item === undefined) return { id, "@removed": { reason: removed } };
  const view = itemView(mailbox, item, behaviours);
  return changed === undefined ? view : sparseItem(view, behaviours.deltaItemsShow, changed);
};

const allowDeltaOptions = (call: MailboxCall) => {
  const { query } = call.request;
  const { deltaSelectRefused } = call.world.settings().behaviours;
  allowOptions(query, ["$select", "$top", "$filter", "$orderby", "$skiptoken", "$deltatoken"]);
  const isRefused = deltaSelectRefused === "always" || (deltaSelectRefused === "beta" && call.version === "beta");
  if (query.has("$select") && isRefused) throw badRequest("$select is not supported with delta.", "BadRequest");
  if (query.has("$orderby") && query.get("$orderby") !== "receivedDateTime desc") {
    throw badRequest("Only 'receivedDateTime desc' is supported for $orderby with delta.", "BadRequest");
  }
  for (const clause of parseFilter(query.get("$filter"), ["receivedDateTime"])) {
    timeLiteral(clause.value);
    // The emulator keeps no filtered deltas: better to refuse than to answer with more than was asked.
    throw badRequest("This emulator does not filter deltas.", "BadRequest");
  }
};

const firstToken = (call: MailboxCall, folder: FolderState, scope: string): DeltaToken => {
  const { query } = call.request;
  const select = query.get("$select") ?? undefined;
  const size = numberOption(query, "$top");
  return {
    scope,
    generation: folder.deltaGeneration,
    page: 0,
    ...(select !== undefined && { select }),
    ...(size !== undefined && size > 0 && { size }),
    position: { phase: "items", since: visibleVersion(call, folder), seed: 0, arrived: BEFORE_ALL },
  };
};

/** The newest version that changes may show by now. */
const visibleVersion = (call: MailboxCall, folder: FolderState): number => {
  const latestAt = call.world.now() - call.world.settings().behaviours.deltaDelayMs;
  const hidden = folder.log[lowerBound(folder.log, latestAt + 1, (entry) => entry.at)];
  return hidden === undefined ? call.mailbox.state.version() : hidden.version - 1;
};

const pageAt = (call: MailboxCall, folder: FolderState, position: DeltaPosition, size: number): Page =>
  position.phase === "items" ? itemsPage(call, folder, position, size) : changesPage(call, folder, position, size);

const itemsPage = (
  call: MailboxCall,
  folder: FolderState,
  position: Extract<DeltaPosition, { phase: "items" }>,
  size: number,
): Page => {
  const { state } = call.mailbox;
  const entry = (item: ItemRecord) => ({ id: state.ids.item(item, item.generation), item });
  const entries: DeltaEntry[] = [];
  let { seed, arrived } = position;

  for (const item of seedItemsFrom(state, folder, seed)) {
    if (entries.length === size) break;
    entries.push(entry(item));
    seed = item.index + 1;
  }
  let more = entries.length === size && !seedItemsFrom(state, folder, seed).next().done;
  for (let i = lowerBound(folder.added, arrived + 1, (e) => e.arrived); !more && i < folder.added.length; i++) {
    const added = folder.added[i];
    if (added === undefined || entries.length === size) {
      more = true;
      break;
    }
    entries.push(entry(added.record));
    arrived = added.arrived;
  }
  return more
    ? { entries, next: { ...position, seed, arrived }, isLast: false }
    : { entries, next: { phase: "changes", from: position.since }, isLast: true };
};

const changesPage = (
  call: MailboxCall,
  folder: FolderState,
  position: Extract<DeltaPosition, { phase: "changes" }>,
  size: number,
): Page => {
  const to = position.to ?? visibleVersion(call, folder);
  const began = position.began ?? position.from;
  const changed = changedSince(folder, began, to);
  const entries: DeltaEntry[] = [];
  let at = lowerBound(folder.log, position.from + 1, (entry) => entry.version);
  for (; at < folder.log.length && entries.length < size; at++) {
    const logged = folder.log[at];
    if (logged === undefined || logged.version > to) break;
    if (!isSuperseded(folder, logged)) entries.push(changeEntry(call, logged, changed.get(logKey(logged))));
  }
  const following = folder.log[at];
  return following === undefined || following.version > to
    ? { entries, next: { phase: "changes", from: to }, isLast: true }
    : { entries, next: { phase: "changes", from: following.version - 1, to, began }, isLast: false };
};

/** What changed of each item after one version up to another; items that came in that time are not in it. */
const changedSince = (folder: FolderState, from: number, to: number): ReadonlyMap<string, ReadonlySet<string>> => {
  const changed = new Map<string, Set<string>>();
  const came = new Set<string>();
  for (let at = lowerBound(folder.log, from + 1, (entry) => entry.version); at < folder.log.length; at++) {
    const logged = folder.log[at];
    if (logged === undefined || logged.version > to) break;
    const key = logKey(logged);
    if (logged.changed === undefined) came.add(key);
    else if (!came.has(key)) changed.set(key, new Set([...(changed.get(key) ?? []), ...logged.changed]));
  }
  return changed;
};

const changeEntry = (call: MailboxCall, logged: LogEntry, changed: ReadonlySet<string> | undefined): DeltaEntry => {
  const { state } = call.mailbox;
  const id = state.ids.item(logged.uid, logged.generation);
  const item = logged.removed === undefined ? state.itemByUid(logged.uid) : undefined;
  if (item !== undefined) return { id, item, ...(changed && { changed }) };
  return { id, removed: logged.removed ?? "deleted", ...(logged.last && { last: logged.last }) };
};

/** Whether no round tells that an item came or went: a share of them, always the same ones. */
const isForgotten = ({ id, item, changed }: DeltaEntry, behaviours: Behaviours): boolean => {
  const share = item === undefined ? behaviours.deltaForgetsRemoved : behaviours.deltaForgetsAdded;
  return changed === undefined && hashText(`forgotten ${id}`) / 2 ** 32 < share;
};

/** A removed item is removed, back and removed again; a changed one is removed and back. */
const flickering = (entry: DeltaEntry): DeltaEntry[] => {
  const { id, item, last } = entry;
  if (item !== undefined) return [{ id, removed: "deleted" }, entry];
  return last === undefined ? [entry] : [entry, { id, item: last }, entry];
};

/** With replays on, the next round begins one change early. */
const afterRound = (next: DeltaPosition, replays: boolean): DeltaPosition =>
  replays && next.phase === "changes" ? { phase: "changes", from: Math.max(BEFORE_ALL, next.from - 1) } : next;
