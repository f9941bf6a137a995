import * as z from "zod";
import { ROLES } from "../../../shared/security/principal.ts";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";

const GRANTS = "infra/identity/grants.json";
const API_ROLES = "infra/identity/api-roles.json";

/** Ids of Graph's app roles. Source: learn.microsoft.com/graph/permissions-reference (read 2026-08). */
const GRAPH_ROLES: Readonly<Record<string, string>> = {
  "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
  "User.Export.All": "405a51b5-8d8d-430b-9842-8be4b0e9f324",
  "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
};

/** Rights that a duty must not hold, because they are another's. */
const NOT_OF: Readonly<Record<string, RegExp>> = {
  backup: /Write|ImportExport/,
  restore: /\.Export$|User\.Export/,
  privacy: /Mailbox/,
};

const Duty = z.looseObject({ graph: z.record(z.string(), z.string()), exchange: z.array(z.string()) });
const Grants = z.object({ backup: Duty, restore: Duty, privacy: Duty });
const ApiRoles = z.array(
  z.strictObject({
    id: z.guid(),
    value: z.string(),
    displayName: z.string(),
    description: z.string(),
    allowedMemberTypes: z.array(z.enum(["User", "Application"])),
    isEnabled: z.literal(true),
  }),
);

/** Checks that role ids of Graph match their names, that duties are separate, and that the app's roles exist. */
export const checkRoles = (project: Project): Finding[] => [...checkGrants(project), ...checkApiRoles(project)];

const checkGrants = (project: Project): Finding[] =>
  Object.entries(Grants.parse(JSON.parse(project.text(GRANTS)))).flatMap(([duty, { graph, exchange }]) => [
    ...Object.entries(graph)
      .filter(([name, id]) => GRAPH_ROLES[name] !== id)
      .map(([name]) => finding(GRANTS, `${duty}: this is not the id of ${name}, or no directory role`)),
    ...[...Object.keys(graph), ...exchange]
      .filter((name) => NOT_OF[duty]?.test(name))
      .map((name) => finding(GRANTS, `${duty} must not hold ${name}: it is another's duty`)),
  ]);

const checkApiRoles = (project: Project): Finding[] => {
  const roles = ApiRoles.parse(JSON.parse(project.text(API_ROLES)));
  const values = roles.map(({ value }) => value);
  const doubled = roles.length !== new Set(roles.map(({ id }) => id)).size;
  return [
    ...ROLES.filter((role) => !values.includes(role)).map((role) =>
      finding(API_ROLES, `the app asks for the role ${role}, which nobody can have`),
    ),
    ...values
      .filter((value) => !ROLES.some((role) => role === value))
      .map((value) => finding(API_ROLES, `the app asks nobody for the role ${value}`)),
    ...(doubled ? [finding(API_ROLES, "two roles have the same id")] : []),
  ];
};
