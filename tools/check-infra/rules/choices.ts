import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { at, lastOf, listAt, ofType, type Snapshot } from "../snapshot.ts";
import { SECOND_SUBSCRIPTION } from "../targets.ts";
import { vaultAccount } from "./storage.ts";

const ACCOUNT_ID =
  /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[^/]+\/providers\/Microsoft\.Storage\/storageAccounts\/\w+$/;

type Check = (snapshot: Snapshot) => string[];

/** Checks that each choice does what it is for, in the layers that it concerns. */
export const checkChoices = (project: Project): Finding[] =>
  project.snapshots.flatMap((snapshot) => {
    const { choice, layer } = snapshot.target;
    const check = choice && (CHECKS[`${choice} ${layer}`] ?? (() => ["this choice is not checked"]));
    return (check?.(snapshot) ?? []).map((what) => finding(snapshot.file, what));
  });

const data = (snapshot: Snapshot): unknown =>
  ofType(snapshot, "Microsoft.Storage/storageAccounts").find(({ id }) => id === vaultAccount(snapshot))?.properties;

const CHECKS: Readonly<Record<string, Check>> = {
  "customer-key foundation": (snapshot) => {
    const vault = ofType(snapshot, "Microsoft.KeyVault/vaults").find(({ name }) => name.startsWith("mvkey"));
    const lock = ofType(snapshot, "Microsoft.Authorization/locks").some(({ name }) => name === "keep-the-key");
    return [
      ...(at(data(snapshot), "encryption", "keySource") === "Microsoft.Keyvault"
        ? []
        : ["the vault is not encrypted by the key"]),
      ...(at(vault?.properties, "enablePurgeProtection") === true
        ? []
        : ["the key could be purged, and the vault with it"]),
      ...(lock ? [] : ["the key vault should be locked against deletion"]),
      ...(ofType(snapshot, "Microsoft.KeyVault/vaults/keys").length === 1 ? [] : ["there should be one key"]),
    ];
  },

  "second-subscription foundation": (snapshot) => {
    const inSecond = (id: string | undefined): boolean =>
      id?.includes(`/subscriptions/${SECOND_SUBSCRIPTION}/`) === true;
    const alerts = ofType(snapshot, "Microsoft.Insights/scheduledQueryRules");
    return [
      ...(inSecond(vaultAccount(snapshot)) ? [] : ["the vault should lie in the second subscription"]),
      ...(alerts.length > 0 && alerts.every(({ id }) => inSecond(id))
        ? []
        : ["what watches the vault should lie beside it"]),
    ];
  },

  "second-subscription app": (snapshot) => {
    const settings = ofType(snapshot, "Microsoft.Web/sites/config").find(({ name }) => lastOf(name) === "appsettings");
    return String(at(settings?.properties, "EVENT_SOURCE")).startsWith(`/subscriptions/${SECOND_SUBSCRIPTION}/`)
      ? []
      : ["the app should believe events of the vault in the second subscription"];
  },

  "private foundation": (snapshot) =>
    at(data(snapshot), "networkAcls", "defaultAction") === "Deny"
      ? []
      : ["the vault should be closed to the public network"],

  "private app": (snapshot) => {
    const endpoints = ofType(snapshot, "Microsoft.Network/privateEndpoints").map(({ name, properties }) => ({
      name: name.replace(/^mv-[a-z]+-/, ""),
      leadsTo: String(at(listAt(properties, "privateLinkServiceConnections")[0], "properties", "privateLinkServiceId")),
    }));
    const zones = ofType(snapshot, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups").length;
    const site = ofType(snapshot, "Microsoft.Web/sites")[0]?.properties;
    return [
      ...["host-blob", "host-queue", "host-table", "data-blob"]
        .filter((wanted) => !endpoints.some(({ name }) => name === wanted))
        .map((wanted) => `there is no private endpoint ${wanted}`),
      ...endpoints
        .filter(({ leadsTo }) => !ACCOUNT_ID.test(leadsTo))
        .map(({ name }) => `the private endpoint ${name} leads to no storage account`),
      ...(zones === endpoints.length ? [] : ["each private endpoint needs its zone of DNS"]),
      ...(typeof at(site, "virtualNetworkSubnetId") === "string" ? [] : ["the app should be in the virtual network"]),
    ];
  },

  "scheduler app": (snapshot) => {
    const settings = ofType(snapshot, "Microsoft.Web/sites/config").find(({ name }) => lastOf(name) === "appsettings");
    const named = at(
      settings?.properties,
      "AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName",
    );
    return at(settings?.properties, String(named)) === undefined ? ["the host should find the scheduler"] : [];
  },
};
