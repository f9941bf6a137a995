import { CONTAINERS } from "../../../shared/storage/containers.ts";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { at, lastOf, listAt, ofType, type Resource, type Snapshot, scopeOf } from "../snapshot.ts";

const ACCOUNTS = "Microsoft.Storage/storageAccounts";
const CONTAINER = `${ACCOUNTS}/blobServices/containers`;

/** Containers that a lifecycle rule may empty. All others are kept. */
const SHORT_LIVED: readonly unknown[] = ["work/", "dead-letters/"];

/** Days in which what was deleted or overwritten can be brought back, at the least: nobody may look for a fortnight. */
const UNDELETE_DAYS = 14;

const ACCOUNT: readonly (readonly [name: string, value: string | boolean])[] = [
  ["allowSharedKeyAccess", false],
  ["allowBlobPublicAccess", false],
  ["allowCrossTenantReplication", false],
  ["defaultToOAuthAuthentication", true],
  ["supportsHttpsTrafficOnly", true],
  ["minimumTlsVersion", "TLS1_2"],
];

/** The id of the vault's account; `undefined` in a snapshot that does not make it. */
export const vaultAccount = (snapshot: Snapshot): string | undefined =>
  ofType(snapshot, CONTAINER)
    .find(({ name }) => lastOf(name) === "vault")
    ?.id.split("/blobServices/")[0];

/** Checks that there are no shared keys and no public access, the vault's safety nets, and every container. */
export const checkStorage = (project: Project): Finding[] =>
  project.snapshots.flatMap((snapshot) => [
    ...ofType(snapshot, ACCOUNTS).flatMap(({ name, properties }) =>
      ACCOUNT.filter(([key, value]) => at(properties, key) !== value).map(([key, value]) =>
        finding(snapshot.file, `storage account ${name}: ${key} should be ${value}`),
      ),
    ),
    ...ofType(snapshot, CONTAINER)
      .filter(({ properties }) => at(properties, "publicAccess") !== "None")
      .map(({ name }) => finding(snapshot.file, `the container ${name} should have publicAccess None`)),
    ...ofType(snapshot, `${ACCOUNTS}/managementPolicies`).flatMap((policy) => checkLifecycle(snapshot, policy)),
    ...(snapshot.target.layer === "foundation" || snapshot.target.layer === "both" ? checkVault(snapshot) : []),
  ]);

const checkVault = (snapshot: Snapshot): Finding[] => {
  const account = vaultAccount(snapshot);
  const wrong: string[] = [];
  if (account === undefined) wrong.push("the app opens a container vault that nothing makes");
  const below = (resource: Resource): boolean => resource.id.startsWith(`${account}/`);
  const containers = ofType(snapshot, CONTAINER).filter(below);
  for (const name of new Set(Object.values(CONTAINERS).flat()))
    if (name !== "vault" && !containers.some((made) => lastOf(made.name) === name))
      wrong.push(`the app opens a container ${name} that nothing makes`);

  const vault = containers.find(({ name }) => lastOf(name) === "vault");
  if (at(vault?.properties, "immutableStorageWithVersioning", "enabled") !== true)
    wrong.push("the container vault should be able to be write-once: that is decided when it is made");
  const service = ofType(snapshot, `${ACCOUNTS}/blobServices`).find(below)?.properties;
  if (at(service, "isVersioningEnabled") !== true) wrong.push("the vault's account should keep versions");
  for (const policy of ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"]) {
    if (at(service, policy, "enabled") !== true) wrong.push(`the vault's account should have a ${policy}`);
    if (!(Number(at(service, policy, "days")) >= UNDELETE_DAYS))
      wrong.push(`the vault's ${policy} should last ${UNDELETE_DAYS} days or more`);
  }
  if (at(service, "deleteRetentionPolicy", "allowPermanentDelete") === true)
    wrong.push("nothing of the vault should be deleted for good before its days are over");
  const undeleteDays = Number(at(service, "deleteRetentionPolicy", "days"));
  for (const { properties } of ofType(snapshot, `${ACCOUNTS}/managementPolicies`).filter(below))
    for (const rule of listAt(properties, "policy", "rules")) {
      const days = at(rule, "definition", "actions", "version", "delete", "daysAfterCreationGreaterThan");
      if (days !== undefined && !isShortLived(rule) && !(Number(days) >= undeleteDays))
        wrong.push(`the lifecycle rule ${at(rule, "name")} removes old versions before ${undeleteDays} days are over`);
    }
  const lock = ofType(snapshot, "Microsoft.Authorization/locks").find((found) => scopeOf(found) === account);
  if (at(lock?.properties, "level") !== "CanNotDelete")
    wrong.push("the vault's account should be locked against deletion");
  for (const policy of ofType(snapshot, `${CONTAINER}/immutabilityPolicies`))
    if (policy.name.includes("/audit/") && at(policy.properties, "allowProtectedAppendWrites") !== true)
      wrong.push("lines must be added to a locked audit log: allowProtectedAppendWrites");
  const logs = ofType(snapshot, "Microsoft.Insights/diagnosticSettings").find(below)?.properties;
  for (const category of ["StorageRead", "StorageWrite", "StorageDelete"])
    if (!listAt(logs, "logs").some((log) => at(log, "category") === category && at(log, "enabled") === true))
      wrong.push(`the vault's account should log ${category}: alerts look for it`);
  return wrong.map((what) => finding(snapshot.file, what));
};

/** A rule may delete current versions in short-lived containers only. */
const checkLifecycle = ({ file }: Snapshot, { properties }: Resource): Finding[] =>
  listAt(properties, "policy", "rules").flatMap((rule) => {
    const removes = at(rule, "definition", "actions", "baseBlob") !== undefined;
    return removes && !isShortLived(rule)
      ? [finding(file, `the lifecycle rule ${at(rule, "name")} removes what must be kept`)]
      : [];
  });

const isShortLived = (rule: unknown): boolean => {
  const prefixes = listAt(rule, "definition", "filters", "prefixMatch");
  return prefixes.length > 0 && prefixes.every((prefix) => SHORT_LIVED.includes(prefix));
};
