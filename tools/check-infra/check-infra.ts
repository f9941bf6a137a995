import type { Finding } from "./finding.ts";
import { checkNames } from "./names.ts";
import type { Project } from "./project.ts";
import { checkResources } from "./resources.ts";
import { checkApp } from "./rules/app.ts";
import { checkEvents } from "./rules/events.ts";
import { checkHost } from "./rules/host.ts";
import { checkRights } from "./rules/rights.ts";
import { checkRoles } from "./rules/roles.ts";
import { checkStorage } from "./rules/storage.ts";
import { checkWorkflows } from "./rules/workflows.ts";
import { checkSettings } from "./settings.ts";

const CHECKS = [
  checkNames,
  checkResources,
  checkSettings,
  checkStorage,
  checkRights,
  checkEvents,
  checkApp,
  checkRoles,
  checkHost,
  checkWorkflows,
];

/**
 * What only Azure, or a machine with its tools, can check. Printed each time, so that nobody takes silence for proof.
 */
export const NOT_CHECKED: readonly string[] = [
  "types of expressions, and other rules of the language that this parser does not know (az bicep build)",
  "values known at deployment only, and whether Azure accepts what its schema allows (az deployment sub what-if)",
  "that API versions are the newest; each is checked against the one version that its table was made from",
  "that roles, lifecycle, write-once storage, Easy Auth, Event Grid and alerts behave as their documentation says",
  "PowerShell, which is not run or parsed here; shell scripts beyond their syntax",
];

/** Everything that is wrong with the deployment and can be found without Azure. */
export const checkInfra = (project: Project): Finding[] => {
  // An unreadable file would cause findings of missing things everywhere else.
  if (project.unreadable.length > 0) return [...project.unreadable];
  return CHECKS.flatMap((check) => check(project));
};
