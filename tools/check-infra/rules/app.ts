import { ENDPOINTS } from "../../../functions/endpoints.ts";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { at, lastOf, listAt, ofType, type Resource, type Snapshot } from "../snapshot.ts";

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
export const checkApp = (project: Project): Finding[] =>
  project.snapshots.flatMap((snapshot) => [
    ...demand(snapshot, "Microsoft.Insights/components", INSIGHTS),
    ...demand(snapshot, "Microsoft.KeyVault/vaults", KEY_VAULT),
    ...demand(snapshot, "Microsoft.Web/sites", SITE),
    ...(snapshot.target.layer === "app" || snapshot.target.layer === "both" ? checkSite(snapshot) : []),
  ]);

const demand = (snapshot: Snapshot, type: string, demands: readonly Demand[]): Finding[] =>
  ofType(snapshot, type).flatMap(({ name, properties }) => missing(snapshot, name, properties, demands));

const missing = ({ file }: Snapshot, name: string, properties: unknown, demands: readonly Demand[]): Finding[] =>
  demands
    .filter(([path, value]) => at(properties, ...path.split(".")) !== value)
    .map(([path, value]) => finding(file, `${name}: ${path} should be ${value}`));

const checkSite = (snapshot: Snapshot): Finding[] => {
  const named = (type: string, name: string): Resource | undefined =>
    ofType(snapshot, type).find((resource) => lastOf(resource.name) === name);
  const site = ofType(snapshot, "Microsoft.Web/sites")[0];
  const authentication = named("Microsoft.Web/sites/config", "authsettingsV2");
  return [
    ...(/-[a-z0-9]{13}$/.test(site?.name ?? "")
      ? []
      : [finding(snapshot.file, `${site?.name}: the name of a site is one in the world, and needs the unique token`)]),
    ...missing(snapshot, "authentication", authentication?.properties, AUTHENTICATION),
    ...checkWaysIn(snapshot, authentication),
    ...["ftp", "scm"]
      .filter(
        (name) =>
          at(named("Microsoft.Web/sites/basicPublishingCredentialsPolicies", name)?.properties, "allow") !== false,
      )
      .map((name) => finding(snapshot.file, `passwords should be off for ${name}`)),
  ];
};

/** Without a token, only the endpoints for anyone and the webhooks can be reached. */
const checkWaysIn = ({ file }: Snapshot, authentication: Resource | undefined): Finding[] => {
  const excluded = listAt(authentication?.properties, "globalValidation", "excludedPaths");
  const wanted = [
    WEBHOOKS,
    ...Object.values(ENDPOINTS).flatMap(({ route, callers }) => (callers === "anyone" ? [`/api/${route}`] : [])),
  ];
  return [
    ...wanted
      .filter((path) => !excluded.includes(path))
      .map((path) => finding(file, `${path} should be reached without a token`)),
    ...excluded
      .filter((path) => !wanted.some((one) => one === path))
      .map((path) => finding(file, `${path} should not be reached without a token`)),
  ];
};
