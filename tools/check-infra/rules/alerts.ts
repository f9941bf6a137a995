import { type Finding, finding } from "../finding.ts";
import { problemsOfQuery } from "../kql.ts";
import type { Project } from "../project.ts";
import { at, listAt, ofType, type Snapshot } from "../snapshot.ts";

const RUNBOOKS = "docs/operate.md";

/** Types of alerts. */
const ALERTS = ["scheduledQueryRules", "metricAlerts", "activityLogAlerts"].map((name) => `Microsoft.Insights/${name}`);

/**
 * Changes that nobody makes unnoticed, by what they touch. Source of the names:
 * learn.microsoft.com/azure/role-based-access-control/resource-provider-operations (read 2026-11).
 */
const WATCHED: readonly string[] = [
  "Microsoft.Authorization/locks/delete",
  "Microsoft.Authorization/roleAssignments/write",
  "Microsoft.Authorization/roleAssignments/delete",
  "Microsoft.Storage/storageAccounts/write",
  "Microsoft.Storage/storageAccounts/blobServices/write",
  "Microsoft.Storage/storageAccounts/managementPolicies/write",
  "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/delete",
  "Microsoft.Insights/diagnosticSettings/delete",
];

/** Log alerts that a foundation has, by the end of their names. */
const WANTED: readonly string[] = ["no-backup", "mailbox-silent", "container-removed", "vault-deletions"];

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
  const operations = ofType(snapshot, "Microsoft.Insights/activityLogAlerts").flatMap(({ properties }) =>
    listAt(properties, "condition", "allOf").flatMap((part) => listAt(part, "anyOf").map((one) => at(one, "equals"))),
  );
  const names = ofType(snapshot, "Microsoft.Insights/scheduledQueryRules").map(({ name }) => name);
  return [
    ...WATCHED.filter((operation) => !operations.includes(operation)).map((operation) =>
      finding(snapshot.file, `nobody is told of ${operation}`),
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
