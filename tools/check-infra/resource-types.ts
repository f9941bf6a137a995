import { readFileSync } from "node:fs";
import * as z from "zod";

/**
 * A property: `string`, `int`, `bool`, `any`, the name of an object, or its possible texts, between `|`; then `[]` for
 * a list; then `!` for a required property, or `-` for one that only Azure writes.
 */
const Property = z.string();

/** Properties by name, `*` for any other; `$by` names the property that selects further ones. */
const ObjectType = z.record(z.string(), z.union([Property, z.record(z.string(), z.string())]));

const ResourceType = z.strictObject({
  apiVersion: z.string(),
  source: z.string(),
  body: z.string(),
  objects: z.record(z.string(), ObjectType),
});
export type ResourceType = z.output<typeof ResourceType>;
export type ObjectType = z.output<typeof ObjectType>;

const Tables = z.record(z.string(), ResourceType);

const readTables = (file: string): [string, ResourceType][] =>
  Object.entries(Tables.parse(JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"))));

/** The resource types that the templates use, by name in lower case. */
export const RESOURCE_TYPES: ReadonlyMap<string, ResourceType> = new Map(
  ["./resource-types.generated.json", "./resource-types.json"]
    .flatMap(readTables)
    .map(([name, type]) => [name.toLowerCase(), type]),
);
