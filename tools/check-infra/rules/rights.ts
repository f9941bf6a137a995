import { CONTAINERS } from "../../../shared/storage/containers.ts";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { at, lastOf, listAt, ofType, type Resource, type Snapshot, scopeOf } from "../snapshot.ts";
import { EXAMPLES } from "../targets.ts";
import { vaultAccount } from "./storage.ts";

/** Ids of built-in roles. Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles (read 2026-11). */
const BUILT_IN: Readonly<Record<string, string>> = {
  "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "blob owner",
  "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "blob contributor",
  "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "blob reader",
  "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "queue contributor",
  "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "table contributor",
  "3913510d-42f4-4e42-8a64-420c390055eb": "metrics publisher",
  "4633458b-17de-408a-b874-0445c86b69e6": "secrets user",
  "0ad04412-c4d5-4796-b79c-f76d14c8d402": "durable contributor",
  "e147488a-f6f5-4113-8e2d-b22465e65bf6": "key encryption user",
  "b24988ac-6180-42a0-ab88-20f7382dd24c": "contributor",
  "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "access administrator",
};

/** The rights that the foundation gives, as `who: role on what`. One more is a security hole, one less an outage. */
const FOUNDATION: readonly string[] = [
  "host: metrics publisher on insights",
  "backup: adder on vault",
  "backup: blob contributor on work",
  "backup: blob contributor on state",
  "restore: blob reader on vault",
  "restore: blob contributor on work",
  "restore: appender on audit",
  "privacy: blob reader on vault",
  "privacy: blob contributor on work",
  "privacy: appender on audit",
  "data-events: blob contributor on dead-letters",
];

/** The rights that the app's layer gives: none of them reaches the vault. */
const APP: readonly string[] = [
  "host: blob owner on host account",
  "host: queue contributor on host account",
  "host: table contributor on host account",
  "host: secrets user on key vault",
  "privacy: blob contributor on package account",
  "package-events: blob contributor on package account's dead-letters",
];

const USER_TOPIC = "user-events: blob contributor on dead-letters";
const DEPLOYER: readonly string[] = [
  "deployer: subscriber on the group of the vault",
  "deployer: contributor on the group of the app",
  "deployer: access administrator on the group of the app",
];

const wantedRights = (snapshot: Snapshot): readonly string[] => {
  const { layer, choice } = snapshot.target;
  const given = [...(layer === "app" ? [] : FOUNDATION), ...(layer === "foundation" ? [] : APP)];
  if (ofType(snapshot, IDENTITY).some(({ name }) => name.endsWith("-retention")))
    given.push("retention: remover on vault");
  if (choice === "scheduler") given.push("host: durable contributor on task hub");
  if (choice === "customer-key") given.push("vault-key: key encryption user on vault's key");
  if (layer === "foundation") given.push(USER_TOPIC, ...DEPLOYER);
  if (layer === "foundation" && choice === "private") given.push("deployer: linker on data account");
  return given;
};

const IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities";
const BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
const PATH = `@Resource[${BLOBS}:path]`;

/** What limits a right, word by word: with a condition of another meaning it would be another right. */
const CONDITIONS: Readonly<Record<string, string>> = {
  "backup: adder on vault": [
    `((!(ActionMatches{'${BLOBS}/write'})) OR `,
    `(${PATH} StringLike '*/head.json' OR ${PATH} StringLike '*/packs/*.zip')) AND `,
    `((!(ActionMatches{'${BLOBS}/write'} AND SubOperationMatches{'Blob.Write.Tier'})) OR `,
    `(${PATH} StringEquals 'none'))`,
  ].join(""),
  "retention: remover on vault": `((!(ActionMatches{'${BLOBS}/delete'})) OR (${PATH} StringNotLike '*/head.json'))`,
};

/** Checks that each identity has the rights that it needs, at the narrowest scope, and no others. */
export const checkRights = (project: Project): Finding[] => [
  ...project.snapshots.flatMap(checkSnapshot),
  ...checkUse(CONTAINERS),
  ...checkDelegation(project),
];

const checkSnapshot = (snapshot: Snapshot): Finding[] => {
  const { file, target } = snapshot;
  const roles = ofType(snapshot, "Microsoft.Authorization/roleDefinitions");
  if (target.layer === "events" || target.layer === "secret") return [];
  const assignments = ofType(snapshot, "Microsoft.Authorization/roleAssignments");
  const given = assignments.map((assignment) => rightOf(snapshot, assignment));
  const wanted = wantedRights(snapshot);
  return [
    ...given
      .filter((right) => !wanted.includes(right))
      .map((right) => finding(file, `a right that nobody needs: ${right}`)),
    ...wanted.filter((right) => !given.includes(right)).map((right) => finding(file, `a right is missing: ${right}`)),
    ...assignments.flatMap(({ properties }, index) => {
      const right = given[index] ?? "";
      const condition = CONDITIONS[right];
      return [
        ...(at(properties, "principalType") === "ServicePrincipal"
          ? []
          : [finding(file, `${right}: needs principalType ServicePrincipal`)]),
        ...(condition === undefined || at(properties, "condition") === condition
          ? []
          : [finding(file, `${right}: should be limited by a condition: ${condition}`)]),
      ];
    }),
    ...roles.flatMap((role) => checkOwnRole(snapshot, role)),
  ];
};

const rightOf = (snapshot: Snapshot, assignment: Resource): string => {
  const { properties } = assignment;
  const role = lastOf(String(at(properties, "roleDefinitionId")));
  const roleName = BUILT_IN[role] ?? ownRole(snapshot, role) ?? `the unknown role ${role}`;
  return `${whoIs(String(at(properties, "principalId")))}: ${roleName} on ${whatIs(snapshot, scopeOf(assignment))}`;
};

/** `Mailbox Vault adder (mv-prod-…)` is adder. */
const ownRole = (snapshot: Snapshot, id: string): string | undefined => {
  const role = ofType(snapshot, "Microsoft.Authorization/roleDefinitions").find(({ name }) => name === id);
  return /^Mailbox Vault (\w+) \(/.exec(String(at(role?.properties, "roleName")))?.[1];
};

const whoIs = (principal: string): string => {
  if (principal === EXAMPLES["DEPLOYER_PRINCIPAL_ID"]) return "deployer";
  const [, type, name = ""] = /\/(userAssignedIdentities|systemTopics|partnerTopics)\/([^/']+)'/.exec(principal) ?? [];
  if (type === "partnerTopics") return "user-events";
  return name.replace(/^mv-[a-z]+-/, "") || "somebody unknown";
};

const whatIs = (snapshot: Snapshot, scope: string): string => {
  const container = /\/containers\/([^/]+)$/.exec(scope)?.[1];
  if (container !== undefined) return /\/mvdsr/.test(scope) ? `package account's ${container}` : container;
  if (scope === vaultAccount(snapshot)) return "data account";
  const known: readonly (readonly [RegExp, string])[] = [
    [/\/storageAccounts\/mvhost[^/]+$/, "host account"],
    [/\/storageAccounts\/mvdsr[^/]+$/, "package account"],
    [/\/components\/[^/]+$/, "insights"],
    [/\/vaults\/mvkey[^/]+$/, "vault's key"],
    [/\/vaults\/mv-[^/]+$/, "key vault"],
    [/\/taskHubs\/[^/]+$/, "task hub"],
    [/\/resourceGroups\/mv-[a-z]+-rg$/, "the group of the app"],
    [/\/resourceGroups\/mv-[a-z]+-vault-rg$/, "the group of the vault"],
  ];
  return known.find(([pattern]) => pattern.test(scope))?.[1] ?? scope;
};

/** Checks that an identity has a right on a container if, and only if, the app opens the container with it. */
export const checkUse = (containers: Readonly<Record<string, readonly string[]>>): Finding[] => {
  const file = "infra/modules/vault-rights.bicep";
  const opened = Object.entries(containers).flatMap(([duty, names]) => names.map((name) => `${duty} on ${name}`));
  const given = [...FOUNDATION, "retention: remover on vault"]
    .map((right) => right.replace(/: .* on /, " on "))
    .filter((right) => /^(backup|retention|restore|privacy) on /.test(right));
  return [
    ...opened
      .filter((right) => !given.includes(right))
      .map((right) => finding(file, `the app needs a right that is not given: ${right}`)),
    ...given
      .filter((right) => !opened.includes(right))
      .map((right) => finding(file, `the app never uses the right of ${right}`)),
  ];
};

/** Actions below `Microsoft.`, of the control plane, and of data. */
interface Allowed {
  readonly actions: readonly string[];
  readonly dataActions: readonly string[];
}

const CONTAINER = "Storage/storageAccounts/blobServices/containers";

/** What each role of our own allows, and nothing more: what one could add without being seen, a thief would have. */
export const OWN_ROLES: Readonly<Record<string, Allowed>> = {
  adder: {
    actions: [`${CONTAINER}/read`],
    dataActions: [`${CONTAINER}/blobs/read`, `${CONTAINER}/blobs/write`, `${CONTAINER}/blobs/add/action`],
  },
  remover: { actions: [], dataActions: [`${CONTAINER}/blobs/delete`] },
  appender: { actions: [`${CONTAINER}/read`], dataActions: [`${CONTAINER}/blobs/add/action`] },
  linker: {
    actions: ["Storage/storageAccounts/read", "Storage/storageAccounts/privateEndpointConnectionsApproval/action"],
    dataActions: [],
  },
  subscriber: {
    actions: [
      "Storage/storageAccounts/read",
      "Insights/components/read",
      "Insights/actionGroups/read",
      "OperationalInsights/workspaces/read",
      "OperationalInsights/workspaces/sharedKeys/action",
      "EventGrid/systemTopics/read",
      "EventGrid/systemTopics/eventSubscriptions/read",
      "EventGrid/systemTopics/eventSubscriptions/write",
      "EventGrid/eventSubscriptions/read",
      "EventGrid/eventSubscriptions/write",
      "Resources/subscriptions/resourceGroups/read",
      "Resources/deployments/read",
      "Resources/deployments/write",
      "Resources/deployments/validate/action",
      "Resources/deployments/operations/read",
      "Resources/deployments/operationStatuses/read",
    ],
    dataActions: [],
  },
};

/** A role allows exactly what its duty needs, in the group of the vault, under a name that no other deployment has. */
const checkOwnRole = (snapshot: Snapshot, { name, properties }: Resource): Finding[] => {
  const { file } = snapshot;
  const roleName = String(at(properties, "roleName"));
  const role = ownRole(snapshot, name) ?? "";
  const wanted = OWN_ROLES[role];
  if (wanted === undefined) return [finding(file, `a role that nobody needs: ${roleName}`)];
  const permissions = listAt(properties, "permissions");
  const token = /\/mvdata(\w+)$/.exec(vaultAccount(snapshot) ?? "")?.[1] ?? "no token";
  return [
    ...(["actions", "dataActions"] as const).flatMap((kind) => {
      const given = permissions.flatMap((permission) => listAt(permission, kind).map(String));
      const allowed = wanted[kind].map((action) => `Microsoft.${action}`);
      return [
        ...given
          .filter((action) => !allowed.includes(action))
          .map((action) => finding(file, `${role} allows too much: ${action}`)),
        ...allowed
          .filter((action) => !given.includes(action))
          .map((action) => finding(file, `${role} does not allow ${action}`)),
      ];
    }),
    // What is taken away again would make the lists above say more than there is.
    ...permissions
      .flatMap((permission) => [...listAt(permission, "notActions"), ...listAt(permission, "notDataActions")])
      .map((action) => finding(file, `${role} should name what it allows, not what it does not: ${action}`)),
    ...(roleName.endsWith(`-${token})`)
      ? []
      : [finding(file, `${roleName}: the name of a role is one in the tenant, and needs the unique token`)]),
  ];
};

/** Checks that the pipeline may give the roles that the app's layer gives, and no others. */
const checkDelegation = (project: Project): Finding[] => {
  const inApp = project.snapshots.filter(({ target }) => target.layer === "app");
  const needed = new Set(
    inApp.flatMap((snapshot) =>
      ofType(snapshot, "Microsoft.Authorization/roleAssignments").map(({ properties }) =>
        lastOf(String(at(properties, "roleDefinitionId"))),
      ),
    ),
  );
  return project.snapshots.flatMap((snapshot) =>
    ofType(snapshot, "Microsoft.Authorization/roleAssignments")
      .filter(({ properties }) => lastOf(String(at(properties, "roleDefinitionId"))).startsWith("f58310d9"))
      .flatMap(({ properties }) => {
        const condition = String(at(properties, "condition"));
        const lists = [...condition.matchAll(/RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals \{([^}]*)\}/g)];
        const isBound =
          lists.length === 2 && (condition.match(/StringEqualsIgnoreCase \{'ServicePrincipal'\}/g) ?? []).length === 2;
        return [
          ...(isBound ? [] : [finding(snapshot.file, "the pipeline may give rights without a limit")]),
          ...lists.flatMap(([, list = ""]) => {
            const allowed = list.split(", ");
            return [
              ...allowed
                .filter((role) => !needed.has(role))
                .map((role) =>
                  finding(snapshot.file, `the pipeline may give a role that nobody needs: ${BUILT_IN[role] ?? role}`),
                ),
              ...[...needed]
                .filter((role) => !allowed.includes(role))
                .map((role) =>
                  finding(
                    snapshot.file,
                    `the pipeline may not give a role that the app needs: ${BUILT_IN[role] ?? role}`,
                  ),
                ),
            ];
          }),
        ];
      }),
  );
};
