import { type Expression, type ObjectExpression, textOf } from "./bicep/ast.ts";
import { type Finding, finding } from "./finding.ts";
import type { Project } from "./project.ts";
import { type ObjectType, RESOURCE_TYPES, type ResourceType } from "./resource-types.ts";

/** Bicep's own properties, beside those of Azure's type. */
const OF_BICEP: readonly string[] = ["parent", "scope", "dependsOn"];

interface Context {
  readonly file: string;
  readonly type: ResourceType;
  readonly findings: Finding[];
}

/**
 * Compares every resource with its type. Finds properties that do not exist, are read-only, are missing, have a value
 * of another kind, or have an unknown text.
 *
 * The value of an expression is known at deployment only, and passes.
 */
export const checkResources = (project: Project): Finding[] => {
  const findings: Finding[] = [];
  for (const { path: file, statements } of project.bicep) {
    for (const statement of statements) {
      if (statement.kind !== "resource") continue;
      const [name = "", apiVersion] = statement.what.split("@");
      const type = RESOURCE_TYPES.get(name.toLowerCase());
      if (type === undefined) {
        findings.push(finding(file, statement.at, `${name} is a type that this check does not know`));
        continue;
      }
      if (apiVersion !== type.apiVersion)
        findings.push(finding(file, statement.at, `${name} is known at ${type.apiVersion}, not at ${apiVersion}`));
      if (!statement.existing) checkObject({ file, type, findings }, name, statement.body, type.body);
    }
  }
  return findings;
};

const checkObject = (context: Context, path: string, object: ObjectExpression, typeName: string): void => {
  const { file, type, findings } = context;
  const declared = type.objects[typeName];
  if (declared === undefined) throw new Error(`${typeName} is missing in the table of types`);
  const properties = propertiesOf(type, declared, object);
  if (properties === undefined) return;

  const isBody = typeName === type.body;
  for (const { key, at, value } of object.members) {
    if (key === undefined || (isBody && OF_BICEP.includes(key))) continue;
    const property = properties[key] ?? properties["*"];
    if (property === undefined) findings.push(finding(file, at, `${path} has no property ${key}`));
    else if (property.endsWith("-")) findings.push(finding(file, at, `${path}.${key} is read-only`));
    else checkValue(context, `${path}.${key}`, value, property.replace(/!$/, ""));
  }
  const given = new Set(object.members.map(({ key }) => key));
  for (const [key, property] of Object.entries(properties))
    if (property.endsWith("!") && !given.has(key)) findings.push(finding(file, object.at, `${path} needs ${key}`));
};

/** `undefined` when the properties depend on a value that is known at deployment only. */
const propertiesOf = (
  type: ResourceType,
  declared: ObjectType,
  object: ObjectExpression,
): Readonly<Record<string, string>> | undefined => {
  const by = declared["$by"];
  const plain = Object.fromEntries(
    Object.entries(declared).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && entry[0] !== "$by",
    ),
  );
  if (typeof by !== "string") return plain;
  const kind = textOf(object.members.find(({ key }) => key === by)?.value);
  const variants = declared["$variants"];
  const variant = kind !== undefined && typeof variants === "object" ? variants[kind] : undefined;
  if (kind === undefined) return undefined;
  const further = variant === undefined ? {} : type.objects[variant];
  return { ...plain, ...(further as Readonly<Record<string, string>>) };
};

const checkValue = (context: Context, path: string, value: Expression, type: string): void => {
  const { file, findings } = context;
  const say = (message: string): void => void findings.push(finding(file, value.at, `${path} ${message}`));
  if (type === "any") return;
  if (value.kind === "choice") {
    checkValue(context, path, value.yes, type);
    checkValue(context, path, value.no, type);
    return;
  }
  if (value.kind === "for") {
    if (type.endsWith("[]")) checkValue(context, `${path}[]`, value.body, type.slice(0, -2));
    else say("is not a list");
    return;
  }
  if (value.kind === "array") {
    if (!type.endsWith("[]")) say("is not a list");
    else for (const item of value.items) checkValue(context, `${path}[]`, item, type.slice(0, -2));
    return;
  }
  if (value.kind === "object") {
    if (context.type.objects[type] === undefined) say(`should be ${type}`);
    else checkObject(context, path, value, type);
    return;
  }
  if (value.kind === "literal" && value.value !== null) {
    const kind = typeof value.value === "boolean" ? "bool" : "int";
    if (type !== kind && !type.split("|").includes(String(value.value))) say(`should be ${type}`);
    return;
  }
  if (value.kind === "string") checkText(value, type, say, context.type);
};

const checkText = (value: Expression, type: string, say: (message: string) => void, table: ResourceType): void => {
  if (type === "int" || type === "bool" || type.endsWith("[]") || table.objects[type] !== undefined) {
    say(`should be ${type}`);
    return;
  }
  const text = textOf(value);
  if (text === undefined || type === "string") return;
  const known = type.split("|");
  if (!known.includes(text)) say(`is '${text}', and not one of ${known.join(", ")}`);
};
