import { setImmediate as nextTurn } from "node:timers/promises";
import { badRequest } from "./errors.ts";
import { type Comparison, compares, holds, parseFilter, timeLiteral } from "./odata.ts";
import { type FolderState, hasDeparted, itemCount } from "./state/folder-state.ts";
import type { MailboxState } from "./state/mailbox-state.ts";
import type { ItemRecord } from "./state/records.ts";

interface Query {
  readonly filter: string | null;
  readonly orderBy: string | null;
  readonly skip: number;
  readonly top: number;
}

const DATE_FIELDS = ["createdDateTime", "lastModifiedDateTime", "receivedDateTime"] as const;
type DateField = (typeof DATE_FIELDS)[number];
type Dates = Readonly<Record<DateField, number>>;

const TURN_ITEMS = 5000;

/** Times of a folder's seed items, gathered once when a filter or an order first asks: 24 bytes an item. */
type SeedDates = Readonly<Record<DateField, Float64Array>>;
const seedDates = new WeakMap<FolderState, Promise<SeedDates>>();

/** Finds a window of a folder's items. Without filter and order it touches nothing outside the window. */
export const itemQuery = async (
  state: MailboxState,
  folder: FolderState,
  query: Query,
): Promise<{ total: number; window: ItemRecord[] }> => {
  const filter = parseFilter(query.filter, [...DATE_FIELDS, "type"]);
  const order = parseOrder(query.orderBy);
  if (filter.length === 0 && order === undefined) return plainWindow(state, folder, query);

  const seeds = await seedDatesOf(state, folder);
  const candidates = candidatesOf(state, folder, seeds);
  const matches = filtered(candidates, filter);
  if (order !== undefined) {
    const { dateOf } = candidates;
    matches.sort((a, b) => order.sign * (dateOf(order.field, a) - dateOf(order.field, b)));
  }
  const window = matches.slice(query.skip, query.skip + query.top).map(candidates.item);
  return { total: matches.length, window };
};

const plainWindow = (state: MailboxState, folder: FolderState, { skip, top }: Query) => {
  const total = itemCount(folder);
  const length = Math.max(0, Math.min(top, total - skip));
  return { total, window: Array.from({ length }, (_, i) => state.itemAt(folder, skip + i)) };
};

const parseOrder = (text: string | null): { field: DateField; sign: 1 | -1 } | undefined => {
  if (text === null) return undefined;
  const [, name, direction] = /^\s*([A-Za-z]+)(?:\s+(asc|desc))?\s*$/.exec(text) ?? [];
  const field = DATE_FIELDS.find((known) => known === name);
  if (field === undefined) throw badRequest(`Invalid $orderby: ${text}`, "BadRequest");
  return { field, sign: direction === "desc" ? -1 : 1 };
};

/** A folder's items by number: first its seed's, then those added. */
interface Candidates {
  readonly length: number;
  readonly isHere: (n: number) => boolean;
  readonly item: (n: number) => ItemRecord;
  readonly dateOf: (field: DateField, n: number) => number;
}

const candidatesOf = (state: MailboxState, folder: FolderState, seeds: SeedDates): Candidates => {
  const { seedCount, departed, changed } = folder;
  const added = folder.added.map(({ record }) => record);
  const item = (n: number) => (n < seedCount ? state.seedItem(folder, n) : (added[n - seedCount] as ItemRecord));
  const isAsSeeded = (n: number) => n < seedCount && (changed.size === 0 || !changed.has(n));
  return {
    length: seedCount + added.length,
    isHere: (n) => n >= seedCount || departed.length === 0 || !hasDeparted(folder, n),
    item,
    dateOf: (field, n) => (isAsSeeded(n) ? (seeds[field][n] ?? 0) : datesOf(item(n))[field]),
  };
};

const filtered = (candidates: Candidates, filter: readonly Comparison[]): number[] => {
  const tests = filter.map((clause) => testOf(candidates, clause));
  const found: number[] = [];
  for (let n = 0; n < candidates.length; n++) {
    if (candidates.isHere(n) && tests.every((test) => test(n))) found.push(n);
  }
  return found;
};

const testOf = ({ item, dateOf }: Candidates, { field, operator, value }: Comparison): ((n: number) => boolean) => {
  if (field === "type") return (n) => compares(item(n).properties.type, operator, value);
  const limit = timeLiteral(value);
  return (n) => holds(dateOf(field as DateField, n), operator, limit);
};

const datesOf = (item: ItemRecord): Dates => ({
  createdDateTime: Date.parse(item.created),
  lastModifiedDateTime: Date.parse(item.modified),
  receivedDateTime: Date.parse(item.properties.received ?? item.properties.created),
});

const seedDatesOf = (state: MailboxState, folder: FolderState): Promise<SeedDates> => {
  const known = seedDates.get(folder);
  if (known !== undefined) return known;
  const gathering = gatherDates(state, folder);
  seedDates.set(folder, gathering);
  return gathering;
};

const gatherDates = async (state: MailboxState, folder: FolderState): Promise<SeedDates> => {
  const column = () => new Float64Array(folder.seedCount);
  const dates = { createdDateTime: column(), lastModifiedDateTime: column(), receivedDateTime: column() };
  for (let index = 0; index < folder.seedCount; index++) {
    const item = state.seed.item(folder.key, index);
    dates.createdDateTime[index] = Date.parse(item.created);
    dates.lastModifiedDateTime[index] = Date.parse(item.modified);
    dates.receivedDateTime[index] = Date.parse(item.received ?? item.created);
    // Other requests go on while a large folder is read.
    if (index % TURN_ITEMS === 0) await nextTurn();
  }
  return dates;
};
