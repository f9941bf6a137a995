import { base64Length } from "../../../shared/graph/base64-encode.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { messageKey } from "../paging/copy-keys.ts";
import { type Entry, type Group, keepRun, type Merge, mergeRuns } from "../paging/sorted-runs.ts";
import type { RestoreItem } from "../restore-state.ts";
import { type Matched, matchByCopy, matchByMessage } from "./match-copies.ts";
import { CopyEntry, MessageEntry, type PlanState } from "./plan-state.ts";
import type { Decide, Decision } from "./reviewed-items.ts";

/** Bytes of an import's body beside the item: a folder id and the names of the fields. */
const ENVELOPE_BYTES = 200;

interface MatchDeps {
  readonly work: Blobs;
  readonly folderKeyOf: (folderId: string) => string;
  readonly indexOf: (folderId: string) => number;
  readonly decide: Decide;
  readonly nameOf: (kind: string) => string;
  readonly runEntries: number;
}

/** Decides about all items of the snapshot, by the copies that share their keys. Returns the state at the end. */
export async function* matchCopies(deps: MatchDeps, from: PlanState): AsyncGenerator<PlanState, PlanState> {
  const merge = await mergeRuns<CopyEntry>(deps.work, from.copies.runs, CopyEntry, from.copies.at);
  const split = ({ key, values }: Group<CopyEntry>): Matched => matchByCopy(key, values, { ...deps, ...from });
  return yield* decideAll(deps, merge, split, from, (state, at) => ({ ...state, copies: { ...state.copies, at } }));
}

/** Decides about those that are left, by their messages. */
export async function* matchMessages(deps: MatchDeps, from: PlanState): AsyncGenerator<PlanState, PlanState> {
  const merge = await mergeRuns<MessageEntry>(deps.work, from.messages.runs, MessageEntry, from.messages.at);
  const split = ({ values }: Group<MessageEntry>): Matched => ({ items: matchByMessage(values), left: [] });
  return yield* decideAll(deps, merge, split, from, (state, at) => ({ ...state, messages: { ...state.messages, at } }));
}

async function* decideAll<T>(
  { work, folderKeyOf, indexOf, decide, nameOf, runEntries }: MatchDeps,
  merge: Merge<T>,
  split: (group: Group<T>) => Matched,
  from: PlanState,
  movedTo: (state: PlanState, at: number[]) => PlanState,
): AsyncGenerator<PlanState, PlanState> {
  let state = from;
  let planned: Entry<RestoreItem>[] = [];
  let left: Entry<MessageEntry>[] = [];
  let counted = countsOf(state);
  const keep = async (): Promise<PlanState> => {
    const at = merge.at();
    const runs = [...state.planned.runs, ...(await keepRun(work, nameOf("planned"), planned))];
    const leftRuns = [...state.messages.runs, ...(await keepRun(work, nameOf("messages"), left))];
    const counts = { ...state, ...counted };
    state = movedTo({ ...counts, planned: { runs, at: [] }, messages: { ...state.messages, runs: leftRuns } }, at);
    [planned, left, counted] = [[], [], countsOf(state)];
    return state;
  };
  let read = 0;
  for (let group = await merge.next(); group !== undefined; group = await merge.next()) {
    const { items, left: others } = split(group);
    for (const entry of others) left.push({ key: messageKeyOf(entry, folderKeyOf), value: entry });
    for (const matched of items) {
      const decision = decide(matched);
      count(counted, indexOf(matched.item.folderId), decision);
      if (typeof decision === "object") planned.push({ key: matched.rank, value: decision });
    }
    read += group.values.length;
    if (read < runEntries) continue;
    read = 0;
    yield keep();
  }
  return keep();
}

const messageKeyOf = (entry: MessageEntry, folderKeyOf: (folderId: string) => string): string =>
  (entry.t === "live" ? entry.message : messageKey(folderKeyOf(entry.item.folderId), entry.item)) ?? "";

type Counts = ReturnType<typeof countsOf>;

const countsOf = ({ items, present, replaced, bytes, bodyBytes, arrivingIn, presentIn }: PlanState) => ({
  ...{ items, present, replaced, bytes, bodyBytes },
  ...{ arrivingIn: { ...arrivingIn }, presentIn: { ...presentIn } },
});

const count = (counts: Counts, folder: number, decision: Decision): void => {
  if (decision === "not-reviewed") return;
  if (decision === "present") {
    counts.present += 1;
    addTo(counts.presentIn, folder);
    return;
  }
  counts.items += 1;
  counts.bytes += decision.rawBytes;
  counts.bodyBytes += base64Length(decision.rawBytes) + ENVELOPE_BYTES;
  if (decision.replaces === undefined) addTo(counts.arrivingIn, folder);
  else counts.replaced += 1;
};

const addTo = (counts: Record<string, number>, folder: number): void => {
  counts[folder] = (counts[folder] ?? 0) + 1;
};
