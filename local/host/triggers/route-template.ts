import { type Constraint, parseConstraint } from "./route-constraints.ts";

interface Parameter {
  readonly name: string;
  readonly optional: boolean;
  readonly catchAll: boolean;
  readonly fallback: string | undefined;
  readonly constraints: readonly Constraint[];
}

type Part = string | Parameter;

/** A parsed route such as `users/{id:int}/{*rest}`. */
export interface RouteTemplate {
  /** Each segment is the literal texts and parameters between two slashes. */
  readonly segments: readonly (readonly Part[])[];
  readonly pattern: RegExp;
}

/** Parses a route in ASP.NET Core's syntax. @throws with one line that says what is wrong with it. */
export const parseRoute = (route: string): RouteTemplate => {
  const segments = splitSegments(route).map(parseSegment);
  return { segments, pattern: new RegExp(`^${segments.map(patternOf).join("")}/?$`, "is") };
};

/** The values of the route's parameters in a path, which is percent-encoded; undefined when it does not match. */
export const matchRoute = ({ segments, pattern }: RouteTemplate, path: string): Record<string, string> | undefined => {
  const match = pattern.exec(path);
  if (match === null) return undefined;
  const parameters = segments.flat().filter((part) => typeof part !== "string");
  const values: Record<string, string> = {};
  for (const [index, { name, fallback, constraints }] of parameters.entries()) {
    const given = match[index + 1] || fallback;
    if (given === undefined) continue;
    const value = decodePathValue(given);
    if (!constraints.every((allows) => allows(value))) return undefined;
    values[name] = value;
  }
  return values;
};

/**
 * Orders routes as the host tries them: literal before parameter, constrained before free, long before short.
 * Source: WebJobsRouteBuilder.cs of https://github.com/Azure/azure-webjobs-sdk-extensions (read 2026-11).
 */
export const compareRoutes = (a: RouteTemplate, b: RouteTemplate): number => {
  for (const [index, [left]] of a.segments.entries()) {
    const right = b.segments[index]?.[0];
    if (left === undefined || right === undefined) return -1;
    const order = weightOf(left) - weightOf(right);
    if (order !== 0) return order;
    if (typeof left === "string" && typeof right === "string") {
      const literal = left.toLowerCase().localeCompare(right.toLowerCase(), "en");
      if (literal !== 0) return literal;
    }
  }
  return b.segments.length - a.segments.length;
};

/** Negative for a literal; otherwise lower with more constraints; a catch-all comes last. */
const weightOf = (part: Part): number => {
  if (typeof part === "string") return -1000;
  return (part.catchAll ? 1 : 0) - part.constraints.length;
};

const splitSegments = (route: string): string[] => {
  const segments = [""];
  let depth = 0;
  for (const char of route) {
    if (char === "{") depth += 1;
    if (char === "}") depth -= 1;
    if (char === "/" && depth === 0) segments.push("");
    else segments[segments.length - 1] += char;
  }
  return segments.filter((segment) => segment !== "");
};

/** Literal braces are doubled, as in `{code:regex(^\\d{{3}}$)}`. */
const PART = /\{((?:[^{}]|\{\{|\}\})+)\}(?!\})|((?:[^{}]|\{\{|\}\})+)/gy;

const parseSegment = (segment: string): Part[] => {
  const parts: Part[] = [];
  let end = 0;
  for (const match of segment.matchAll(PART)) {
    const [text, parameter, literal = ""] = match;
    end = match.index + text.length;
    parts.push(parameter === undefined ? unescapeBraces(literal) : parseParameter(unescapeBraces(parameter)));
  }
  if (end !== segment.length) throw new Error(`"${segment}" has braces that do not match`);
  return parts;
};

const unescapeBraces = (text: string) => text.replaceAll("{{", "{").replaceAll("}}", "}");

/** `*name:constraint(arguments):…=default?` */
const parseParameter = (text: string): Parameter => {
  const match = /^(\*{0,2})(\w+)((?::\w+(?:\(.*?\)(?=[:=?]|$))?)*)(?:=([^?]*))?(\?)?$/s.exec(text);
  if (match === null) throw new Error(`"{${text}}" is not a route parameter`);
  const [, star, name = "", constraints = "", fallback, optional] = match;
  return {
    name,
    catchAll: star !== "",
    optional: optional !== undefined,
    fallback,
    constraints: Array.from(constraints.matchAll(/:(\w+(?:\(.*?\)(?=:|$))?)/gs), ([, constraint = ""]) => {
      const parsed = parseConstraint(constraint);
      if (parsed === undefined) throw new Error(`"${constraint}" is not a route constraint`);
      return parsed;
    }),
  };
};

const patternOf = (segment: readonly Part[]): string => {
  const [only] = segment;
  if (segment.length === 1 && only !== undefined && typeof only !== "string") {
    if (only.catchAll) return "(?:/(.*?))?";
    return only.optional || only.fallback !== undefined ? "(?:/([^/]+))?" : "/([^/]+)";
  }
  return `/${segment.map((part) => (typeof part === "string" ? escapeRegExp(part) : "([^/]+?)")).join("")}`;
};

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** An encoded slash stays encoded, as in the real host's paths. */
const decodePathValue = (value: string): string =>
  decodeURIComponent(value.replace(/%2f/gi, (slash) => `%25${slash.slice(1)}`));
