import * as z from "zod";
import type { Target } from "./targets.ts";

/** What only Azure knows stays an expression in brackets, also in an id or a name. */
const Resource = z.looseObject({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  apiVersion: z.string(),
  properties: z.record(z.string(), z.unknown()).optional(),
});
export type Resource = z.output<typeof Resource>;

/** What a deployment would make, as `bicep snapshot` says, and the hash of what that was made from. */
export const SnapshotFile = z.looseObject({
  sources: z.string().optional(),
  predictedResources: z.array(Resource),
  outputs: z.record(z.string(), z.unknown()),
});

export interface Snapshot {
  readonly target: Target;
  /** Path of its file, for findings. */
  readonly file: string;
  readonly resources: readonly Resource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The resources of a type. Azure ignores the case of types. */
export const ofType = ({ resources }: Snapshot, type: string): Resource[] =>
  resources.filter((resource) => resource.type.toLowerCase() === type.toLowerCase());

/** The value at a path of names. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

export const listAt = (value: unknown, ...path: readonly string[]): readonly unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

/** The last part of a name, such as `vault` of `account/default/vault`. */
export const lastOf = (name: string): string => name.split("/").at(-1) ?? name;

/** The resource that an extension, such as a lock or a role assignment, is of. */
export const scopeOf = ({ id, type }: Resource): string => {
  const quoted = /^\[extensionResourceId\('([^']+)'/.exec(id)?.[1];
  if (quoted !== undefined) return quoted;
  const at = id.toLowerCase().lastIndexOf(`/providers/${type.toLowerCase()}/`);
  return at < 0 ? id : id.slice(0, at);
};
