import { ENDPOINTS } from "../../../functions/endpoints.ts";
import { plainOf, textOf, valueAt } from "../bicep/ast.ts";
import { type Finding, finding } from "../finding.ts";
import { type Deployed, deployed, type Project } from "../project.ts";

/** The path that Event Grid and other extensions call, with a key of their own instead of a token. */
const WEBHOOKS = "/runtime/webhooks/*";

/** A value that a resource must have, by its path. */
type Demand = readonly [path: string, value: string | boolean];

const SITE: readonly Demand[] = [
  ["httpsOnly", true],
  ["siteConfig.minTlsVersion", "1.2"],
  ["siteConfig.ftpsState", "Disabled"],
  ["functionAppConfig.runtime.name", "node"],
  ["functionAppConfig.runtime.version", "22"],
  ["functionAppConfig.deployment.storage.authentication.type", "UserAssignedIdentity"],
];

const AUTHENTICATION: readonly Demand[] = [
  ["platform.enabled", true],
  ["globalValidation.requireAuthentication", true],
  ["globalValidation.unauthenticatedClientAction", "Return401"],
  ["httpSettings.requireHttps", true],
];

const INSIGHTS: readonly Demand[] = [["DisableLocalAuth", true]];
const KEY_VAULT: readonly Demand[] = [
  ["enableRbacAuthorization", true],
  ["enablePurgeProtection", true],
];

/** Checks who may reach the app, and that no key or password opens it. */
export const checkApp = (project: Project): Finding[] => {
  const configs = deployed(project, "Microsoft.Web/sites/config");
  const authentication = configs.filter(
    ({ statement }) => textOf(valueAt(statement.body, "name")) === "authsettingsV2",
  );
  return [
    ...demand(deployed(project, "Microsoft.Web/sites"), SITE),
    ...demand(authentication, AUTHENTICATION),
    ...authentication.flatMap(checkWaysIn),
    ...demand(deployed(project, "Microsoft.Insights/components"), INSIGHTS),
    ...demand(deployed(project, "Microsoft.KeyVault/vaults"), KEY_VAULT),
    ...(["ftp", "scm"] as const).flatMap((name) => checkBasicAuth(project, name)),
  ];
};

const demand = (resources: readonly Deployed[], demands: readonly Demand[]): Finding[] => {
  if (resources.length === 0) return [finding("infra", undefined, `nothing has ${demands[0]?.[0]}`)];
  return resources.flatMap(({ file, statement }) =>
    demands
      .filter(([path, value]) => plainOf(valueAt(statement.body, "properties", ...path.split("."))) !== value)
      .map(([path, value]) => finding(file, statement.at, `${statement.name}: ${path} should be ${value}`)),
  );
};

/** Without a token, only the endpoints for anyone and the webhooks can be reached. */
const checkWaysIn = ({ file, statement }: Deployed): Finding[] => {
  const paths = valueAt(statement.body, "properties", "globalValidation", "excludedPaths");
  const excluded = paths?.kind === "array" ? paths.items.map((path) => textOf(path) ?? "?") : [];
  const wanted = [
    WEBHOOKS,
    ...Object.values(ENDPOINTS).flatMap(({ route, callers }) => (callers === "anyone" ? [`/api/${route}`] : [])),
  ];
  return [
    ...wanted
      .filter((path) => !excluded.includes(path))
      .map((path) => finding(file, statement.at, `${path} should be reached without a token`)),
    ...excluded
      .filter((path) => !wanted.includes(path))
      .map((path) => finding(file, statement.at, `${path} should not be reached without a token`)),
  ];
};

const checkBasicAuth = (project: Project, name: string): Finding[] => {
  const policy = deployed(project, "Microsoft.Web/sites/basicPublishingCredentialsPolicies").find(
    ({ statement }) => textOf(valueAt(statement.body, "name")) === name,
  );
  const allowed = plainOf(valueAt(policy?.statement.body, "properties", "allow"));
  return allowed === false ? [] : [finding("infra", policy?.statement.at, `passwords should be off for ${name}`)];
};
