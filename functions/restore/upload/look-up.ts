import { shortChangeKey } from "../../../shared/graph/change-key.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { isNotFound } from "../../../shared/graph/graph-error.ts";
import { eachItem, findItem, type LiveItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { OnConflict } from "../restore.contract.ts";
import type { FolderMap, RestoreItem } from "../restore-state.ts";
import type { TakenItem } from "./item-queue.ts";
import type { Settled } from "./ledger.ts";

/** The most that the clocks of two of Exchange's servers may differ, beside the second that times are cut to. */
const SERVER_SKEW_MS = 1_000;

/** An item that is older than the import by more than this was there before it, whatever the clocks say. */
const DOUBT_MS = 10_000;

/** The most that the clocks of Exchange and of this app may differ. Counts where Exchange's own time is not known. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Most imports that Exchange accepted without an answer show within this time. Our own choice. */
export const FIRST_LOOK_MS = 10_000;

/** When an import without an answer is looked for, in multiples of the first wait: the last after 10 minutes. */
const LOOKS: readonly number[] = [1, 3, 7, 15, 31, 60];

/**
 * Milliseconds until the next look for an import that was sent `ageMs` ago; `undefined` after the last one. An import
 * may take effect long after its answer was given up.
 */
export const nextLookMs = (ageMs: number, firstMs: number): number | undefined => {
  const next = LOOKS.map((times) => times * firstMs).find((look) => look > ageMs);
  return next === undefined ? undefined : next - ageMs;
};

export interface LookUpContext {
  readonly graph: GraphClient;
  readonly mailbox: MailboxAddress;
  readonly folders: FolderMap;
  /** When the restore began. Items that it imported were created later. */
  readonly since: string;
  readonly onConflict: OnConflict;
}

export const folderOf = ({ folders }: Pick<LookUpContext, "folders">, { folderId }: RestoreItem): string => {
  const target = folders[folderId];
  if (target === undefined) throw new Error("A restore has no folder for an item of its plan");
  return target;
};

/** The outcome of an import that was not answered; `undefined` when no trace of it is found. */
export const lookFor = (context: LookUpContext, taken: TakenItem): Promise<Settled | undefined> =>
  taken.record.replaces === undefined ? lookForCopy(context, taken) : lookForUpdate(context, taken);

/** From when on a copy is the import's, and from when on it may be, both by Exchange's clock where that is known. */
const boundsOf = ({ tries }: TakenItem, since: string): { readonly ours: number; readonly doubt: number } => {
  const first = tries[0]?.at;
  // Graph returns creation times in whole seconds.
  const second = Math.floor(Date.parse(first ?? since) / 1000) * 1000;
  return first === undefined
    ? { ours: second, doubt: second - CLOCK_SKEW_MS }
    : { ours: second - SERVER_SKEW_MS, doubt: second - DOUBT_MS };
};

/**
 * The item was imported when its folder holds a copy that was created since it was sent, and that no other item
 * accounts for. A copy from shortly before may be older. Where copies are to be made beside others, any copy may be
 * somebody else's.
 */
const lookForCopy = async (context: LookUpContext, taken: TakenItem): Promise<Settled | undefined> => {
  const { item, record, settled } = taken;
  if (record.searchKey === undefined) return { op: "ambiguous", item, code: "no-search-key" };
  const { ours, doubt } = boundsOf(taken, context.since);
  const accounted = new Set([...settled.values()].flatMap((entry) => ("itemId" in entry ? entry.itemId : [])));
  const createdSince = new Date(doubt).toISOString();
  const lookAt: string[] = [];
  try {
    for await (const live of eachItem(context.graph, context.mailbox, folderOf(context, record), { createdSince })) {
      if (live.searchKey !== record.searchKey || accounted.has(live.id)) continue;
      if (context.onConflict !== "duplicate" && Date.parse(live.created ?? "") >= ours)
        return { op: "imported", item, itemId: live.id, ...versionOf(live) };
      lookAt.push(live.id);
    }
  } catch (error) {
    // Somebody deleted the folder, and with it whatever the import made.
    if (isNotFound(error)) return { op: "failed", item, code: "folder-gone" };
    throw error;
  }
  const code = context.onConflict === "duplicate" ? "copy-of-unknown-origin" : "copy-may-be-older";
  return lookAt.length === 0 ? undefined : { op: "ambiguous", item, code, lookAt };
};

const versionOf = ({ changeKey }: LiveItem): { changeKey?: string } =>
  changeKey === "" ? {} : { changeKey: shortChangeKey(changeKey) };

/**
 * Whether the live item was replaced is not clear when it is not the planned version any more: somebody may have
 * changed it. It is clear when that was before it was sent.
 */
const lookForUpdate = async (context: LookUpContext, taken: TakenItem): Promise<Settled | undefined> => {
  const { item, record } = taken;
  const { id = "", changeKey } = record.replaces ?? {};
  try {
    const live = await findItem(context.graph, context.mailbox, folderOf(context, record), id);
    if (live.changeKey === changeKey) return undefined;
    if (Date.parse(live.modified ?? "") < boundsOf(taken, context.since).doubt)
      return { op: "failed", item, code: "changed-since-planned" };
    return { op: "ambiguous", item, code: "changed-since-planned", lookAt: [id] };
  } catch (error) {
    if (isNotFound(error)) return { op: "failed", item, code: "gone" };
    throw error;
  }
};
