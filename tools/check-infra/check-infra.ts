import { type Finding, finding } from "./finding.ts";
import type { Project } from "./project.ts";
import { checkAlerts } from "./rules/alerts.ts";
import { checkApp } from "./rules/app.ts";
import { checkChoices } from "./rules/choices.ts";
import { checkEvents } from "./rules/events.ts";
import { checkHost } from "./rules/host.ts";
import { checkLayers } from "./rules/layers.ts";
import { checkRights } from "./rules/rights.ts";
import { checkRoles } from "./rules/roles.ts";
import { checkSettings } from "./rules/settings.ts";
import { checkStorage } from "./rules/storage.ts";
import { checkVariables } from "./rules/variables.ts";
import { checkWorkflows } from "./rules/workflows.ts";
import { SnapshotFile } from "./snapshot.ts";
import { sourcesHash } from "./sources.ts";
import { snapshotPathOf, TARGETS } from "./targets.ts";

const RULES = [
  checkStorage,
  checkRights,
  checkLayers,
  checkChoices,
  checkEvents,
  checkApp,
  checkSettings,
  checkAlerts,
  checkRoles,
  checkHost,
  checkVariables,
  checkWorkflows,
];

/**
 * What only Azure, or a machine with its tools, can check. Printed each time, so that nobody takes silence for proof.
 */
export const NOT_CHECKED: readonly string[] = [
  "quotas, offers of a region, policies of a tenant, names that are taken, providers that are not registered",
  "whether Azure accepts a value that its type leaves open (az deployment what-if)",
  "that roles and their conditions, lifecycle, write-once storage and Easy Auth behave as their documentation says",
  "the same of Event Grid, alerts and the workbook",
  "that the tables of the log have the columns that their documentation names",
  "azd, az and PowerShell, which are not run here",
];

/** Everything that is wrong with the deployment and shows in its snapshots and files. */
export const checkRules = (project: Project): Finding[] => RULES.flatMap((rule) => rule(project));

/** Snapshots that were made from other sources than there are now. */
export const checkFreshness = (project: Project): Finding[] =>
  TARGETS.flatMap((target) => {
    const file = snapshotPathOf(target);
    const { sources } = SnapshotFile.parse(JSON.parse(project.text(file)));
    return sources === sourcesHash(project, target)
      ? []
      : [finding(file, "was made from other sources: npm run check:infra -- --write")];
  });
