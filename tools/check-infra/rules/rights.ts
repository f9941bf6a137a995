import { type Expression, textOf, valueAt } from "../bicep/ast.ts";
import { type Finding, finding } from "../finding.ts";
import { type Deployed, deployed, type Project } from "../project.ts";

const FILE = "infra/modules/rights.bicep";

/** The file that opens the containers, each with the identity of a duty. */
const APP = "functions/services.ts";

/** Ids of built-in roles. Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles (read 2026-11). */
const BUILT_IN: Readonly<Record<string, string>> = {
  blobOwner: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
  blobContributor: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
  blobReader: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
  queueContributor: "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
  tableContributor: "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
  metricsPublisher: "3913510d-42f4-4e42-8a64-420c390055eb",
  secretsUser: "4633458b-17de-408a-b874-0445c86b69e6",
  durableContributor: "0ad04412-c4d5-4796-b79c-f76d14c8d402",
};

/** Every right, as `who: role on what`. One more would be a security hole, and one less an outage. */
export const RIGHTS: readonly string[] = [
  "host: blobOwner on hostAccount",
  "host: queueContributor on hostAccount",
  "host: tableContributor on hostAccount",
  "host: metricsPublisher on insights",
  "host: secretsUser on keyVault",
  "host: durableContributor on hub",
  "backup: writerRole on vault",
  "backup: removerRole on vault",
  "backup: blobContributor on work",
  "backup: blobContributor on state",
  "restore: blobReader on vault",
  "restore: blobContributor on work",
  "restore: appenderRole on audit",
  "privacy: blobReader on vault",
  "privacy: blobContributor on work",
  "privacy: appenderRole on audit",
  "privacy: packageKeeperRole on dataAccount",
  "topic: blobContributor on deadLetters",
  "userTopic: blobContributor on deadLetters",
];

/** Checks that rights are in one file, at the narrowest scope, and that role ids match their names. */
export const checkRights = (project: Project): Finding[] => {
  const assignments = deployed(project, "Microsoft.Authorization/roleAssignments");
  const given = assignments.map(rightOf);
  return [
    ...checkRoleIds(project),
    ...assignments
      .filter(({ file }) => file !== FILE)
      .map(({ file, statement }) => finding(file, statement.at, `rights are given in ${FILE} only`)),
    ...assignments
      .filter(({ statement }) => textOf(valueAt(statement.body, "properties", "principalType")) !== "ServicePrincipal")
      .map(({ file, statement }) =>
        finding(file, statement.at, `${statement.name} needs principalType ServicePrincipal`),
      ),
    ...assignments.flatMap(({ file, statement }, index) =>
      RIGHTS.includes(given[index] ?? "")
        ? []
        : [finding(file, statement.at, `a right that nobody needs: ${given[index]}`)],
    ),
    ...RIGHTS.filter((right) => !given.includes(right)).map((right) =>
      finding(FILE, undefined, `a right is missing: ${right}`),
    ),
    ...assignments
      .filter(
        (assignment, index) => given[index]?.endsWith(" on dataAccount") && !isBoundToPackages(project, assignment),
      )
      .map(({ file, statement }) =>
        finding(file, statement.at, `${statement.name} should reach the blobs of packages only`),
      ),
    ...checkUse(project),
    ...deployed(project, "Microsoft.Authorization/roleDefinitions").flatMap(checkOwnRole),
  ];
};

/** A condition limits only the actions that it names, so it must name each action of the role. */
const isBoundToPackages = (project: Project, { statement }: Deployed): boolean => {
  const condition = textOf(valueAt(statement.body, "properties", "condition")) ?? "";
  const name = roleOf(valueAt(statement.body, "properties", "roleDefinitionId"));
  const role = deployed(project, "Microsoft.Authorization/roleDefinitions").find((own) => own.statement.name === name);
  const actions = role === undefined ? [] : actionsIn(role, "dataActions");
  return (
    actions.length > 0 &&
    actions.every((action) => condition.includes(`!(ActionMatches{'${action}'})`)) &&
    condition.endsWith(
      "OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringLike 'dsr-*'))",
    )
  );
};

/** Checks that an identity has a right on a container if, and only if, the app opens the container with it. */
const checkUse = (project: Project): Finding[] => {
  const opened = [...project.text(APP).matchAll(/\b([a-z]+)Container\(([a-z]+)Storage\)/g)];
  const used = new Set(opened.map(([, container, duty]) => `${duty} on ${container}`));
  const given = new Set(
    RIGHTS.map((right) => right.replace(/: \w+/, "")).filter((right) =>
      /^(backup|restore|privacy) on [a-z]+$/.test(right),
    ),
  );
  return [
    ...[...used]
      .filter((right) => !given.has(right))
      .map((right) => finding(FILE, undefined, `the app needs a right that is not given: ${right}`)),
    ...[...given]
      .filter((right) => !used.has(right))
      .map((right) => finding(FILE, undefined, `the app never uses the right of ${right}`)),
  ];
};

const checkRoleIds = (project: Project): Finding[] => {
  const statements = project.bicep.find(({ path }) => path === FILE)?.statements ?? [];
  const roles = statements.find(({ kind, name }) => kind === "var" && name === "roles");
  if (roles?.kind !== "var" || roles.value.kind !== "object")
    return [finding(FILE, undefined, "the ids of roles should be in one object, roles")];
  return roles.value.members
    .filter(({ key = "", value }) => BUILT_IN[key] !== textOf(value))
    .map(({ key, at }) => finding(FILE, at, `this is not the id of ${key}`));
};

const rightOf = ({ statement }: Deployed): string => {
  const principal = valueAt(statement.body, "properties", "principalId");
  const scope = valueAt(statement.body, "scope");
  const who = rootOf(principal).replace(/PrincipalId$/, "");
  const what = scope?.kind === "name" ? scope.name : "the whole resource group";
  return `${who}: ${roleOf(valueAt(statement.body, "properties", "roleDefinitionId"))} on ${what}`;
};

/** The name that a chain of members begins with. */
const rootOf = (expression: Expression | undefined): string => {
  if (expression?.kind === "member" || expression?.kind === "sure") return rootOf(expression.of);
  return expression?.kind === "name" ? expression.name : "?";
};

/** `subscriptionResourceId('…', roles.x)` of a built-in role, `x.id` of one of our own. */
const roleOf = (expression: Expression | undefined): string => {
  const last = expression?.kind === "call" ? expression.args.at(-1) : undefined;
  if (last?.kind === "member") return last.name;
  return expression?.kind === "member" && expression.of.kind === "name" ? expression.of.name : "?";
};

/** A role of our own must allow less than a built-in one. */
const checkOwnRole = (role: Deployed): Finding[] =>
  [...actionsIn(role, "actions"), ...actionsIn(role, "dataActions")]
    .filter((action) => action.includes("*") || !action.startsWith("Microsoft.Storage/storageAccounts/blobServices/"))
    .map((action) => finding(role.file, role.statement.at, `${role.statement.name} allows too much: ${action}`));

const actionsIn = ({ statement }: Deployed, kind: "actions" | "dataActions"): string[] => {
  const permissions = valueAt(statement.body, "properties", "permissions");
  const items = permissions?.kind === "array" ? permissions.items : [];
  return items.flatMap((item) => {
    const list = valueAt(item, kind);
    return list?.kind === "array" ? list.items.map((action) => textOf(action) ?? "*") : [];
  });
};
