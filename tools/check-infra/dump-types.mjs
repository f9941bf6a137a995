// Makes resource-types.generated.json from the types that Microsoft ships in @azure/mcp (MIT licence), a native program
// that is too large to be a dependency. Run it when a template needs another type or API version:
//
//   npm pack @azure/mcp-linux-x64@2.0.5, unpack it, and node tools/check-infra/dump-types.mjs PATH/TO/azmcp [TYPE...]
//
// With arguments, only those types are updated.
// It has one version of each type; resource-types.json, written by hand, has the types that it lacks.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const TYPES = [
  "Microsoft.Authorization/roleAssignments",
  "Microsoft.Authorization/roleDefinitions",
  "Microsoft.EventGrid/partnerTopics",
  "Microsoft.EventGrid/partnerTopics/eventSubscriptions",
  "Microsoft.EventGrid/systemTopics",
  "Microsoft.EventGrid/systemTopics/eventSubscriptions",
  "Microsoft.Insights/components",
  "Microsoft.KeyVault/vaults",
  "Microsoft.KeyVault/vaults/secrets",
  "Microsoft.ManagedIdentity/userAssignedIdentities",
  "Microsoft.Network/privateEndpoints",
  "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
  "Microsoft.Network/virtualNetworks",
  "Microsoft.OperationalInsights/workspaces",
  "Microsoft.Storage/storageAccounts",
  "Microsoft.Storage/storageAccounts/blobServices",
  "Microsoft.Storage/storageAccounts/blobServices/containers",
  "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies",
  "Microsoft.Storage/storageAccounts/managementPolicies",
  "Microsoft.Web/serverfarms",
  "Microsoft.Web/sites",
  "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
  "Microsoft.Web/sites/config",
];

const [azmcp, ...named] = process.argv.slice(2);
if (azmcp === undefined) throw new Error("usage: node tools/check-infra/dump-types.mjs PATH/TO/azmcp [TYPE...]");

const ask = (type) => {
  const text = execFileSync(azmcp, ["bicepschema", "get", "--resource-type", type], {
    env: { ...process.env, AZURE_MCP_COLLECT_TELEMETRY: "false" },
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(text).results.BicepSchemaResult;
};
const PRIMITIVE = ["string", "int", "bool", "any"];

/** `string` beside known texts means that Azure may accept more; here, only the known ones pass. */
const typeName = (type, objects) => {
  const list = /^\(?(.*?)\)?\[\]$/.exec(type)?.[1];
  if (list !== undefined) return `${typeName(list, objects)}[]`;
  if (PRIMITIVE.includes(type) || objects.has(type)) return type;
  const texts = type.split(" | ").filter((text) => !PRIMITIVE.includes(text));
  const isClosed = texts.length > 0 && texts.every((text) => /^[\w.-]+$/.test(text));
  return isClosed ? texts.join("|") : "any";
};

const mark = (flags = "") => (flags.includes("ReadOnly") ? "-" : flags.includes("Required") ? "!" : "");

const propertiesOf = (properties, objects) =>
  Object.fromEntries(properties.map(({ name, type, flags }) => [name, typeName(type, objects) + mark(flags)]));

/** Adds an object, and the objects that it refers to, to `table`. */
const collect = (name, declared, objects, table) => {
  if (table[name] !== undefined) return;
  const entry = propertiesOf(declared.properties ?? declared.baseProperties ?? [], objects);
  table[name] = entry;
  if (declared.additionalPropertiesType) entry["*"] = typeName(String(declared.additionalPropertiesType), objects);
  if (declared.$type === "DiscriminatedObject") {
    const variants = {};
    for (const element of declared.elements) {
      const by = element.properties.find((property) => property.name === declared.discriminator);
      // Variants of a whole resource, such as each kind of a site's config, all have the same name.
      const isAlike = declared.elements.filter(({ name }) => name === element.name).length > 1;
      const variant = isAlike ? `${element.name} ${by.type}` : element.name;
      variants[by.type] = variant;
      collect(variant, element, objects, table);
    }
    entry["$by"] = declared.discriminator;
    entry["$variants"] = variants;
    entry[declared.discriminator] = `${Object.keys(variants).join("|")}!`;
  }
  for (const property of Object.values(entry)) {
    if (typeof property !== "string") continue;
    const next = property.replace(/[!-]$/, "").replaceAll("[]", "");
    const further = objects.get(next);
    // Of a property that only Azure writes, the name is enough.
    if (further !== undefined && !property.endsWith("-")) collect(next, further, objects, table);
  }
};

const tableOf = (type) => {
  const answer = ask(type);
  const resource = answer.find(
    ({ $type, name }) => $type === "Resource" && name.toLowerCase().startsWith(`${type.toLowerCase()}@`),
  );
  if (resource === undefined) throw new Error(`azmcp does not know ${type}`);
  const objects = new Map(answer.filter(({ $type }) => /Object$/.test($type)).map((one) => [one.name, one]));
  const table = {};
  collect("Resource", resource.bodyType, objects, table);
  return { apiVersion: resource.name.split("@")[1], source: "@azure/mcp 2.0.5, MIT", body: "Resource", objects: table };
};

const file = new URL("resource-types.generated.json", import.meta.url);
const kept = named.length > 0 ? JSON.parse(readFileSync(file, "utf8")) : {};
for (const type of named.length > 0 ? named : TYPES) kept[type] = tableOf(type);
const sorted = Object.fromEntries(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
