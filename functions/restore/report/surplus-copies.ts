import type { LiveItem } from "../../../shared/graph/items.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import { NO_ANSWER, type Settled } from "../upload/ledger.ts";
import { wholeSecond } from "./target-contents.ts";

type Wanted = Pick<PutRecord, "folderId" | "id" | "searchKey">;

/** Copies of an item of the plan that nothing accounts for: `count` of those in `lookAt`. */
export interface Surplus {
  /** The item, as the snapshot has it. */
  readonly folderId: string;
  readonly id: string;
  readonly count: number;
  readonly lookAt: readonly string[];
}

/** Counts the copies in the target that came since a restore began, beyond those that it was to make. */
export interface SurplusCopies {
  /** Notes a live item of a target folder. All come before the first item of the plan. */
  seen(folderId: string, live: LiveItem): void;
  /** Notes an item of the plan; `isThere`: the live item that its import made was seen. */
  add(folderId: string | undefined, wanted: Wanted, settled: Settled | undefined, isThere: boolean): void;
  /** To be called once, after the last item of the plan. */
  found(): Surplus[];
}

interface Copies {
  readonly ids: string[];
  /** The first item of the plan that they are copies of. */
  wanted?: Wanted;
  /** Items of the plan that one of them may be. */
  owners: number;
}

/**
 * Copies are told by folder, search key and time of creation. Those of an import that came to no clear end are owned by
 * their item; what nobody owns is surplus, whether the restore or somebody else made it. `imported` are the ids that
 * the ledgers know; only what is none of them is kept.
 */
export const surplusCopies = (since: string, imported: ReadonlySet<string>): SurplusCopies => {
  const sinceMs = Date.parse(wholeSecond(since));
  const copies = new Map<string, Copies>();
  const keyOf = (folderId: string, searchKey: string): string => `${folderId}\n${searchKey}`;
  return {
    seen: (folderId, { id, searchKey, created }) => {
      if (searchKey === undefined || imported.has(id) || !(Date.parse(created ?? "") >= sinceMs)) return;
      const key = keyOf(folderId, searchKey);
      const known = copies.get(key);
      if (known === undefined) copies.set(key, { ids: [id], owners: 0 });
      else known.ids.push(id);
    },
    add: (folderId, wanted, settled, isThere) => {
      const { searchKey } = wanted;
      const known = folderId && searchKey && copies.get(keyOf(folderId, searchKey));
      if (!known) return;
      known.wanted ??= wanted;
      if (!isThere && mayBeThere(settled)) known.owners += 1;
    },
    found: () =>
      [...copies.values()].flatMap(({ ids: lookAt, wanted, owners }) => {
        const count = lookAt.length - owners;
        return wanted === undefined || count <= 0 ? [] : { folderId: wanted.folderId, id: wanted.id, count, lookAt };
      }),
  };
};

/** Of most failed items, Exchange is known to have imported nothing. */
export const mayBeThere = (settled: Settled | undefined): boolean =>
  settled?.op !== "failed" || settled.code === NO_ANSWER;
