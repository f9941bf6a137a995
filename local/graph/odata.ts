import { badRequest } from "./errors.ts";

export type Literal = string | number | boolean | null;

export interface Comparison {
  readonly field: string;
  readonly operator: "eq" | "ne" | "ge" | "gt" | "le" | "lt";
  readonly value: Literal;
}

const COMPARISON = /^\s*([A-Za-z]+)\s+(eq|ne|ge|gt|le|lt)\s+('(?:[^']|'')*'|[^\s']+)\s*$/;

/** Refuses query options that an endpoint does not know; options without `$` pass. */
export const allowOptions = (query: URLSearchParams, known: readonly string[]): void => {
  for (const name of query.keys()) {
    if (name.startsWith("$") && !known.includes(name)) {
      throw badRequest(`The query option '${name}' is not supported.`, "BadRequest");
    }
  }
};

/** Reads `$top` and `$skip` as numbers. */
export const numberOption = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value '${text}' for ${name}.`, "BadRequest");
  return Number(text);
};

export const selection = (query: URLSearchParams): readonly string[] | undefined =>
  query
    .get("$select")
    ?.split(",")
    .map((name) => name.trim());

/** Reads `a ge x and b lt y`: comparisons of known fields, joined by `and`. */
export const parseFilter = (text: string | null, fields: readonly string[]): Comparison[] => {
  if (text === null) return [];
  return text.split(/\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)/).map((part) => {
    const [, field, operator, literal] = COMPARISON.exec(part) ?? [];
    if (field === undefined || literal === undefined || !fields.includes(field)) {
      throw badRequest(`Invalid filter clause: ${text}`, "BadRequest");
    }
    return { field, operator: operator as Comparison["operator"], value: readLiteral(literal) };
  });
};

const readLiteral = (literal: string): Literal => {
  if (literal.startsWith("'")) return literal.slice(1, -1).replaceAll("''", "'");
  if (literal === "true" || literal === "false") return literal === "true";
  if (literal === "null") return null;
  return literal;
};

/** A filter literal as a time; a date alone means its midnight. */
export const timeLiteral = (literal: Literal): number => {
  const text = String(literal);
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(time)) throw badRequest(`Invalid date '${text}' in $filter.`, "BadRequest");
  return time;
};

/** Compares two values of one type. */
export const holds = <T extends number | string | boolean>(a: T, operator: Comparison["operator"], b: T): boolean => {
  switch (operator) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "ge":
      return a >= b;
    case "gt":
      return a > b;
    case "le":
      return a <= b;
    case "lt":
      return a < b;
  }
};

/** Compares as a `$filter` does: text in any letter case, and nothing is more or less than null. */
export const compares = (actual: Literal | undefined, operator: Comparison["operator"], value: Literal): boolean => {
  const fold = (literal: Literal | undefined) =>
    typeof literal === "string" ? literal.toLowerCase() : (literal ?? null);
  const a = fold(actual);
  const b = fold(value);
  if (a === null || b === null) return operator === "eq" ? a === b : operator === "ne" && a !== b;
  return holds(a, operator, b);
};

/** Keeps annotations, the id and what was selected. */
export const project = (
  value: Readonly<Record<string, unknown>>,
  select: readonly string[] | undefined,
): Record<string, unknown> => {
  if (select === undefined) return { ...value };
  const wanted = new Set(["id", ...select]);
  return Object.fromEntries(Object.entries(value).filter(([name]) => name.startsWith("@") || wanted.has(name)));
};

/** Reads the preferred page size out of a `Prefer` header. */
export const preferredPageSize = (prefer: string | undefined): number | undefined => {
  const [, size] = /odata\.maxpagesize\s*=\s*(\d+)/i.exec(prefer ?? "") ?? [];
  return size === undefined || size === "0" ? undefined : Number(size);
};
