import { type Finding, finding } from "../finding.ts";
import { problemsOfQuery, problemsWithoutTables } from "../kql.ts";
import type { Project } from "../project.ts";
import { at, listAt, ofType, type Snapshot } from "../snapshot.ts";
import { vaultAccount } from "./storage.ts";

const RUNBOOKS = "docs/operate.md";

/** Types of alerts. */
const ALERTS = ["scheduledQueryRules", "metricAlerts", "activityLogAlerts"].map((name) => `Microsoft.Insights/${name}`);

/** What watches the vault is switched off by a change as well as by its removal. */
const bothOf = (type: string): readonly string[] => [`${type}/write`, `${type}/delete`];

/**
 * Changes that nobody makes unnoticed, by where they are looked for. Source of the names:
 * learn.microsoft.com/azure/role-based-access-control/permissions (read 2026-11).
 */
const WATCHED: Readonly<Record<"vaultGroup" | "vaultSubscription" | "appGroup", readonly string[]>> = {
  vaultGroup: [
    "Microsoft.Authorization/locks/delete",
    "Microsoft.Storage/storageAccounts/write",
    "Microsoft.Storage/storageAccounts/blobServices/write",
    "Microsoft.Storage/storageAccounts/managementPolicies/write",
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/delete",
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/extend/action",
    ...bothOf("Microsoft.Insights/diagnosticSettings"),
    ...bothOf("Microsoft.Insights/scheduledQueryRules"),
    ...bothOf("Microsoft.Insights/activityLogAlerts"),
    ...bothOf("Microsoft.Insights/metricAlerts"),
    ...bothOf("Microsoft.Insights/actionGroups"),
    ...bothOf("Microsoft.OperationalInsights/workspaces"),
  ],
  // A right that is given for the subscription holds in the group; what silences an alert may lie anywhere.
  vaultSubscription: [
    ...bothOf("Microsoft.Authorization/roleAssignments"),
    ...bothOf("Microsoft.AlertsManagement/actionRules"),
  ],
  appGroup: [
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.Authorization/roleAssignments/write",
  ],
};

/** Log alerts that a foundation has, by the end of their names. */
const WANTED: readonly string[] = [
  "no-backup",
  "mailbox-silent",
  "container-removed",
  "vault-deletions",
  "vault-overwritten",
  "storage-refusals",
];

/** Checks that each alert tells somebody, has a runbook, and asks what its tables can answer. */
export const checkAlerts = (project: Project): Finding[] => [
  ...project.snapshots.flatMap((snapshot) => checkTelling(project, snapshot)),
  ...project.snapshots
    .filter(({ target }) => target.layer === "foundation" || target.layer === "both")
    .flatMap(checkWatch),
  ...checkQueries(project),
];

const checkTelling = (project: Project, snapshot: Snapshot): Finding[] => {
  const headings = new Set(
    project
      .text(RUNBOOKS)
      .match(/^## .*$/gm)
      ?.map((line) => line.slice(3)),
  );
  return ALERTS.flatMap((type) => ofType(snapshot, type)).flatMap(({ name, properties }) => {
    const runbook = /Runbook: docs\/operate\.md, "([^"]+)"/.exec(String(at(properties, "description")))?.[1];
    const told = [...listAt(properties, "actions"), ...listAt(properties, "actions", "actionGroups")];
    return [
      ...(runbook !== undefined && headings.has(runbook)
        ? []
        : [finding(snapshot.file, `the alert ${name} names no runbook that ${RUNBOOKS} has: ${runbook}`)]),
      ...(told.length > 0 && at(properties, "enabled") === true
        ? []
        : [finding(snapshot.file, `the alert ${name} tells nobody`)]),
    ];
  });
};

const checkWatch = (snapshot: Snapshot): Finding[] => {
  const alerts = ofType(snapshot, "Microsoft.Insights/activityLogAlerts").map(({ properties }) => ({
    scopes: listAt(properties, "scopes").map(String),
    operations: listAt(properties, "condition", "allOf").flatMap((part) =>
      listAt(part, "anyOf").map((one) => at(one, "equals")),
    ),
  }));
  const [vaultGroup = ""] = vaultAccount(snapshot)?.split("/providers/") ?? [];
  const backup = ofType(snapshot, "Microsoft.ManagedIdentity/userAssignedIdentities").find(({ name }) =>
    name.endsWith("-backup"),
  );
  const [appGroup = ""] = backup?.id.split("/providers/") ?? [];
  const places = { vaultGroup, vaultSubscription: vaultGroup.replace(/\/resourceGroups\/.*/, ""), appGroup };
  const isSeen = (operation: string, place: string): boolean =>
    alerts.some(
      ({ scopes, operations }) =>
        operations.includes(operation) && scopes.some((scope) => place === scope || place.startsWith(`${scope}/`)),
    );
  const names = ofType(snapshot, "Microsoft.Insights/scheduledQueryRules").map(({ name }) => name);
  return [
    ...(Object.keys(places) as (keyof typeof places)[]).flatMap((place) =>
      WATCHED[place]
        .filter((operation) => !isSeen(operation, places[place]))
        .map((operation) => finding(snapshot.file, `nobody is told of ${operation} in ${places[place]}`)),
    ),
    ...WANTED.filter((name) => !names.some((one) => one.endsWith(`-${name}`))).map((name) =>
      finding(snapshot.file, `there is no alert ${name}`),
    ),
  ];
};

/** Every query of infra/queries, and every literal one of a snapshot. Placeholders are times and names in quotes. */
const checkQueries = (project: Project): Finding[] => [
  ...project
    .list("infra/queries")
    .flatMap((path) => problemsOfQuery(filled(project.text(path))).map((problem) => finding(path, problem))),
  ...project
    .list("infra/queries")
    .filter(
      (path) =>
        !project.snapshots.some(({ resources }) => JSON.stringify(resources).includes(firstLine(project, path))),
    )
    .map((path) => finding(path, "no alert and no workbook asks this")),
  ...project
    .list("infra/queries")
    .filter((path) => !path.includes("/workbook-"))
    .flatMap((path) =>
      problemsWithoutTables(filled(project.text(path))).map((problem) =>
        finding(path, `before its table has a row: ${problem}`),
      ),
    ),
];

const filled = (query: string): string => query.replace("(SILENCE)", "(26h)").replace("(PRINCIPALS)", '("a", "b")');

/** The last line tells queries apart. */
const firstLine = (project: Project, path: string): string =>
  JSON.stringify(
    project
      .text(path)
      .trimEnd()
      .split("\n")
      .at(-1)
      ?.replaceAll(/SILENCE.*|PRINCIPALS.*|RETENTION.*/g, "") ?? "",
  ).slice(1, -1);
