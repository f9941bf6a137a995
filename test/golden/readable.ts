import { isDeepStrictEqual } from "node:util";

/** Values that a golden file calls by a name. One that differs in anything is written in full. */
export type Names = Readonly<Record<string, unknown>>;

/** One line, or some where that would be too long: what it is, perhaps what it is called, and a value. */
export type Write = (what: string, value: unknown, called?: string) => string;

/** A text, or texts between brackets. */
type Shown = string | { readonly open: string; readonly members: readonly Member[]; readonly close: string };
type Member = readonly [label: string, value: Shown];

const REST: Member = ["", "..."];

const LINE = 118;
const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * Writes values for people who read a diff: without quotes where none are needed, guids numbered in the order in which
 * they are met, and of a value that follows one of the same kind only the members that differ. Nothing is left out for
 * good.
 */
export const writer = (names: Names): Write => {
  const guids: string[] = [];
  const before = new Map<string, Record<string, unknown>>();

  const guidName = (guid: string): string => {
    if (!guids.includes(guid)) guids.push(guid);
    return `guid ${guids.indexOf(guid) + 1}`;
  };
  const nameOf = (value: unknown): string | undefined =>
    Object.entries(names).find(([, known]) => isDeepStrictEqual(known, value))?.[0];
  const show = (value: unknown): Shown => {
    const name = nameOf(value);
    if (name !== undefined) return name;
    if (typeof value === "string") return quoted(value.replaceAll(GUID, guidName));
    if (Array.isArray(value)) return { open: "[", members: value.map((each) => ["", show(each)]), close: "]" };
    if (isRecord(value)) return braced(membersOf(value));
    return String(value);
  };
  const membersOf = (value: Record<string, unknown>): Member[] =>
    sorted(value).map(([key, member]) => [`${key}: `, show(member)]);

  /** `...` stands for what is as it was in the value before. */
  const changes = (last: Record<string, unknown>, value: Record<string, unknown>): Member[] => {
    const changed = sorted(value).filter(([key, member]) => !isDeepStrictEqual(last[key], member));
    const gone = Object.keys(last).filter((key) => !Object.hasOwn(value, key));
    return [
      ...(changed.length < Object.keys(value).length ? [REST] : []),
      ...gone.map((key): Member => ["no ", key]),
      ...changed.map(([key, member]): Member => [`${key}: `, change(last[key], member)]),
    ];
  };
  const change = (last: unknown, value: unknown): Shown =>
    isRecord(last) && isRecord(value) && nameOf(value) === undefined ? braced(changes(last, value)) : show(value);

  return (what, raw, called) => {
    const value: unknown = raw === undefined ? undefined : JSON.parse(JSON.stringify(raw));
    const head = `${called === undefined ? what : `${what} ${called}`} `;
    if (!isRecord(value)) return head + fitted(show(value), "", head);
    const last = before.get(what);
    before.set(what, value);
    return head + fitted(braced(last === undefined ? membersOf(value) : changes(last, value)), "", head);
  };
};

const braced = (members: readonly Member[]): Shown => ({ open: "{", members, close: "}" });

const flat = (shown: Shown): string => {
  if (typeof shown === "string") return shown;
  const { open, members, close } = shown;
  const inner = members.map(([label, value]) => label + flat(value)).join(", ");
  return open === "{" && inner !== "" ? `${open} ${inner} ${close}` : open + inner + close;
};

/** On the line that `head` begins, if it fits there, else a member a line. */
const fitted = (shown: Shown, indent: string, head: string): string => {
  const line = flat(shown);
  if (typeof shown === "string" || head.length + line.length <= LINE) return line;
  const deeper = `${indent}  `;
  const lines = shown.members.map(([label, value]) => `${deeper}${label}${fitted(value, deeper, deeper + label)},`);
  return [shown.open, ...lines, indent + shown.close].join("\n");
};

/** The order of members says nothing. */
const sorted = (value: Record<string, unknown>): [string, unknown][] =>
  Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Texts that could be taken for something else keep their quotes. */
const quoted = (text: string): string =>
  /^[\w@./:+ -]*[\w/]$/.test(text) && !/^(-?[\d.]+|true|false|null|undefined)$/.test(text)
    ? text
    : JSON.stringify(text);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
