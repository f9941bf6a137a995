import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { at, lastOf, ofType, type Snapshot } from "../snapshot.ts";
import { OWN_ROLES } from "./rights.ts";

/** What only an Owner may make. */
const OF_AN_OWNER: readonly string[] = [
  "Microsoft.Authorization/roleDefinitions",
  "Microsoft.Authorization/locks",
  "Microsoft.Resources/resourceGroups",
];

/** Types that the app's layer refers to and does not make. */
const OF_THE_FOUNDATION: readonly string[] = [
  "Microsoft.ManagedIdentity/userAssignedIdentities",
  "Microsoft.OperationalInsights/workspaces",
  "Microsoft.Insights/activityLogAlerts",
];

/** Checks that the pipeline's layer needs no Owner, and reaches nothing that protects or watches the vault. */
export const checkLayers = (project: Project): Finding[] => [
  ...project.snapshots.filter(({ target }) => target.layer === "app").flatMap(checkAppLayer),
  ...project.snapshots.filter(({ target }) => ["app", "events", "secret"].includes(target.layer)).flatMap(checkReach),
  ...checkRemoval(project),
];

const checkAppLayer = ({ file, resources }: Snapshot): Finding[] =>
  resources.flatMap(({ id, type, name }) => [
    ...([...OF_AN_OWNER, ...OF_THE_FOUNDATION].includes(type)
      ? [finding(file, `${name} is of the foundation: the app's layer has no ${type}`)]
      : []),
    // Of one whose name only Azure knows the id is an expression, which has the group of the deployment.
    ...(id.startsWith("[") || id.includes("/resourceGroups/mv-prod-rg/")
      ? []
      : [finding(file, `${name} lies outside of the group of the app`)]),
  ]);

/** An id of a resource outside of the group of the app, and its types and names after `providers`. */
const ELSEWHERE = /\/resourceGroups\/(?!mv-prod-rg\/)[\w-]+\/providers\/Microsoft\.([\w.]+(?:\/\w+\/[\w-]+)+)/g;

/** `EventGrid/systemTopics/topic/eventSubscriptions/one` is of the type `EventGrid/systemTopics/eventSubscriptions`. */
const typeIn = (path: string): string =>
  path
    .split("/")
    .filter((_, index) => index === 0 || index % 2 === 1)
    .join("/");

/**
 * The pipeline is Contributor in the group of the app alone: it reads what it refers to elsewhere, and writes what it
 * makes there, by a role of our own.
 */
const checkReach = ({ file, resources }: Snapshot): Finding[] => {
  const typesIn = (text: string): string[] => [...text.matchAll(ELSEWHERE)].map(([, path = ""]) => typeIn(path));
  const needed = new Set([
    ...typesIn(JSON.stringify(resources)).map((type) => `${type}/read`),
    ...resources.flatMap(({ id }) => typesIn(id).map((type) => `${type}/write`)),
  ]);
  return [...needed]
    .filter((action) => !OWN_ROLES["subscriber"]?.actions.includes(action))
    .map((action) => finding(file, `the pipeline may not do this outside of the group of the app: ${action}`));
};

/** Retention removes only where both layers say so. */
const checkRemoval = (project: Project): Finding[] => {
  const foundation = project.snapshots.find(({ target }) => target.name === "foundation");
  const hasIdentity =
    foundation !== undefined &&
    ofType(foundation, "Microsoft.ManagedIdentity/userAssignedIdentities").some(({ name }) =>
      name.endsWith("-retention"),
    );
  return project.snapshots
    .filter(({ target }) => target.layer === "app" || target.layer === "both")
    .flatMap((snapshot) => {
      const settings = ofType(snapshot, "Microsoft.Web/sites/config").find(
        ({ name }) => lastOf(name) === "appsettings",
      );
      const removes = at(settings?.properties, "RETENTION") !== undefined;
      const names = at(settings?.properties, "RETENTION_IDENTITY_CLIENT_ID") !== undefined;
      return [
        ...(removes === names
          ? []
          : [finding(snapshot.file, "RETENTION and RETENTION_IDENTITY_CLIENT_ID go together")]),
        ...(snapshot.target.layer === "app" && removes !== hasIdentity
          ? [
              finding(
                snapshot.file,
                "RETENTION is set where the foundation has no identity that removes, or the other way",
              ),
            ]
          : []),
      ];
    });
};
