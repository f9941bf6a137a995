import * as z from "zod";

/** The part of JSON Schema that zod writes, as far as the shapes of this project need it. */
interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly pattern?: string;
  readonly format?: string;
  readonly [limit: string]: unknown;
}

/** Long texts that mean one thing. */
const KNOWN: Readonly<Record<string, string>> = {
  "^[a-z2-7]{26}$": "MAILBOX KEY",
  "^\\d{8}T\\d{6}Z-[a-z2-7]{6}$": "RUN ID",
};

/** Zod says these of every whole number. */
const ANY_WHOLE_NUMBER: readonly unknown[] = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];

/** What a schema takes or answers, as a value to read: objects as objects, with `?` after what may be absent. */
export const shapeOf = (schema: z.ZodType, io: "input" | "output"): unknown => {
  const options = { io, unrepresentable: "any", reused: "inline" } as const;
  // What is returned is stripped of what is unknown, so there alone this says nothing.
  return shape(z.toJSONSchema(schema, options) as JsonSchema, io === "input");
};

const shape = (schema: JsonSchema, tellsStrict: boolean): unknown => {
  const { properties, required = [], items, anyOf, oneOf, additionalProperties, propertyNames } = schema;
  const inner = (member: JsonSchema): unknown => shape(member, tellsStrict);
  const options = anyOf ?? oneOf;
  if (options !== undefined) return { "one of": options.map(inner) };
  if (properties !== undefined) {
    const names = Object.keys(properties).map((key) => [required.includes(key) ? key : `${key}?`, key] as const);
    const members = names.map(([name, key]) => [name, inner(properties[key] ?? {})]);
    return Object.fromEntries(tellsStrict && additionalProperties === false ? [...members, STRICT] : members);
  }
  if (items !== undefined) return [inner(items), ...limitsOf(schema)];
  if (typeof additionalProperties === "object")
    return { [`each ${String(inner(propertyNames ?? {}))}`]: inner(additionalProperties) };
  return leaf(schema);
};

const STRICT = ["nothing else", true] as const;

const leaf = (schema: JsonSchema): unknown => {
  if ("const" in schema) return { exactly: schema.const };
  if (schema.enum !== undefined) return { "one of": schema.enum };
  return KNOWN[schema.pattern ?? ""] ?? [schema.type ?? "anything", ...limitsOf(schema)].join(" ");
};

const NO_LIMITS = ["$schema", "type", "items", "default"];

/** A format says what its pattern does. */
const limitsOf = (schema: JsonSchema): string[] =>
  Object.entries(schema)
    .filter(([key, limit]) => !NO_LIMITS.includes(key) && !ANY_WHOLE_NUMBER.includes(limit))
    .filter(([key]) => key !== "pattern" || schema.format === undefined)
    .map(([key, limit]) => `${key} ${String(limit)}`);
