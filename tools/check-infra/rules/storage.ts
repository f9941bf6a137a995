import { plainOf, textOf, valueAt } from "../bicep/ast.ts";
import { type Finding, finding } from "../finding.ts";
import { type Deployed, deployed, type Project } from "../project.ts";

/** Containers that a lifecycle rule may empty. All others are kept. */
const SHORT_LIVED: readonly string[] = ["work/", "dead-letters/"];

const ACCOUNT: readonly (readonly [name: string, value: string | boolean])[] = [
  ["allowSharedKeyAccess", false],
  ["allowBlobPublicAccess", false],
  ["allowCrossTenantReplication", false],
  ["defaultToOAuthAuthentication", true],
  ["supportsHttpsTrafficOnly", true],
  ["minimumTlsVersion", "TLS1_2"],
];

/** Checks that there are no shared keys and no public access, the vault's four safety nets, and every container. */
export const checkStorage = (project: Project): Finding[] => {
  const accounts = deployed(project, "Microsoft.Storage/storageAccounts");
  const findings = accounts.flatMap(({ file, statement }) =>
    ACCOUNT.filter(([name, value]) => plainOf(valueAt(statement.body, "properties", name)) !== value).map(
      ([name, value]) => finding(file, statement.at, `storage account ${statement.name}: ${name} should be ${value}`),
    ),
  );
  return [
    ...findings,
    ...checkContainers(project),
    ...checkNets(project),
    ...deployed(project, "Microsoft.Storage/storageAccounts/managementPolicies").flatMap(checkLifecycle),
  ];
};

const checkContainers = (project: Project): Finding[] => {
  const file = "infra/modules/data-storage.bicep";
  const containers = deployed(project, "Microsoft.Storage/storageAccounts/blobServices/containers");
  const names = new Set(containers.map(({ statement }) => textOf(valueAt(statement.body, "name"))));
  const opened = [...project.text("shared/storage/containers.ts").matchAll(/getContainerClient\("([a-z0-9-]+)"\)/g)];
  return [
    ...opened
      .filter(([, name]) => !names.has(name))
      .map(([, name]) => finding(file, undefined, `the app opens a container ${name} that no template makes`)),
    ...containers
      .filter(({ statement }) => textOf(valueAt(statement.body, "properties", "publicAccess")) !== "None")
      .map((container) => finding(container.file, container.statement.at, "a container should have publicAccess None")),
  ];
};

const checkNets = (project: Project): Finding[] => {
  const file = "infra/modules/data-storage.bicep";
  const inFile = (type: string): Deployed | undefined => deployed(project, type).find((found) => found.file === file);
  const services = inFile("Microsoft.Storage/storageAccounts/blobServices");
  const properties = valueAt(services?.statement.body, "properties");
  const at = services?.statement.at;
  const findings: Finding[] = [];
  if (plainOf(valueAt(properties, "isVersioningEnabled")) !== true)
    findings.push(finding(file, at, "the vault's account should keep versions"));
  for (const policy of ["deleteRetentionPolicy", "containerDeleteRetentionPolicy"])
    if (plainOf(valueAt(properties, policy, "enabled")) !== true)
      findings.push(finding(file, at, `the vault's account should have a ${policy}`));
  const lock = inFile("Microsoft.Authorization/locks");
  if (textOf(valueAt(lock?.statement.body, "properties", "level")) !== "CanNotDelete")
    findings.push(finding(file, undefined, "the vault's account should be locked against deletion"));
  const audit = deployed(
    project,
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies",
  ).find(({ statement }) => valueAt(statement.body, "parent")?.kind === "name" && statement.name === "auditPolicy");
  if (plainOf(valueAt(audit?.statement.body, "properties", "allowProtectedAppendWrites")) !== true)
    findings.push(
      finding(file, audit?.statement.at, "lines must be added to a locked audit log: allowProtectedAppendWrites"),
    );
  return findings;
};

/** A rule may delete current versions in short-lived containers only. */
const checkLifecycle = ({ file, statement }: Deployed): Finding[] => {
  const rules = valueAt(statement.body, "properties", "policy", "rules");
  if (rules?.kind !== "array") return [finding(file, statement.at, "a lifecycle needs its rules in plain sight")];
  return rules.items.flatMap((rule) => {
    const removes = valueAt(rule, "definition", "actions", "baseBlob") !== undefined;
    const prefixes = valueAt(rule, "definition", "filters", "prefixMatch");
    const names = prefixes?.kind === "array" ? prefixes.items.map(textOf) : [];
    const allowed = names.length > 0 && names.every((name) => name !== undefined && SHORT_LIVED.includes(name));
    return removes && !allowed ? [finding(file, rule.at, "a lifecycle rule removes what must be kept")] : [];
  });
};
