import type * as z from "zod";

/** What is odd in an answer of Graph, by the names of its fields: never a value, which could be personal. */
export interface PageProblem {
  /** Of the element that is odd; absent where it has no usable id. */
  readonly id?: string;
  readonly what: string;
}

/** Takes the problems of what is read. */
export type TellProblem = (problem: PageProblem) => void;

/**
 * Reads an element of an answer. What is not of the documented form is left out and told as a problem: an entry of an
 * array from its array, or else the field. So a field that may be missing must be optional in the schema. `undefined`
 * for an element that lacks a usable id or another field that must be there; that is a problem too.
 */
export const readElement = <S extends z.ZodType>(
  schema: S,
  raw: unknown,
  tell: TellProblem,
): z.output<S> | undefined => {
  const id = idOf(raw);
  let rest = raw;
  for (let parsed = schema.safeParse(rest); ; parsed = schema.safeParse(rest)) {
    if (parsed.success) return parsed.data;
    const odd = placesOf(parsed.error, rest);
    const isUsable = id !== undefined && odd.every((place) => place.length > 0 && place.join(".") !== "id");
    if (!isUsable) {
      tell({ ...(id === undefined ? {} : { id }), what: id === undefined ? "an element without an id" : "unreadable" });
      return undefined;
    }
    if (rest === raw) rest = structuredClone(raw);
    // From the last to the first, so that no index changes before its entry is removed.
    for (const place of odd.toReversed()) {
      remove(rest, place);
      tell({ id, what: `${place.join(".")} is not of the documented form` });
    }
  }
};

type Place = readonly (string | number)[];

/** The usable id of an element. */
export const idOf = (raw: unknown): string | undefined => {
  const id = isObject(raw) ? raw["id"] : undefined;
  return typeof id === "string" && id !== "" ? id : undefined;
};

const isObject = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === "object" && value !== null;

/** Where a value is odd, each place once: a field that should be there and is not makes what holds it odd. */
const placesOf = (error: z.ZodError, raw: unknown): Place[] => {
  const places = new Map<string, Place>();
  for (const issue of error.issues) {
    const place = existing(raw, issue.path as Place);
    places.set(place.join("."), place);
  }
  return [...places.values()];
};

/** The part of a path that exists. */
const existing = (raw: unknown, path: Place): Place => {
  let value = raw;
  for (const [depth, key] of path.entries()) {
    if (!isObject(value) || !(key in value)) return path.slice(0, depth);
    value = value[key];
  }
  return path;
};

const remove = (root: unknown, place: Place): void => {
  const holder = place.slice(0, -1).reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root);
  const key = place.at(-1) as string | number;
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete (holder as Record<string | number, unknown>)[key];
};
