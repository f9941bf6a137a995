import { readFileSync } from "node:fs";
import * as z from "zod";

const DutyGrants = z.strictObject({
  graph: z.record(z.string(), z.guid()),
  exchange: z.array(z.string()),
  /** Rights in Exchange that the duty can do without. */
  byChoice: z.array(z.string()).default([]),
});
const Grants = z.strictObject({ comment: z.string(), backup: DutyGrants, restore: DutyGrants, privacy: DutyGrants });

export const DUTIES = ["backup", "restore", "privacy"] as const;
export type Duty = (typeof DUTIES)[number];

/** What each duty needs or may have, and no more. */
export const GRANTS = Grants.parse(
  JSON.parse(readFileSync(new URL("../../infra/identity/grants.json", import.meta.url), "utf8")),
);

/** Graph's response to `GET /servicePrincipals/{id}/appRoleAssignments`; only ids are read. */
export const GraphAssignments = z.looseObject({ value: z.array(z.looseObject({ appRoleId: z.string() })) });

/** The output of list-exchange.ps1. PowerShell writes a list of one as an object. */
export const ExchangeAssignments = z
  .union([
    z.array(z.looseObject({ role: z.string(), scope: z.string() })),
    z.looseObject({ role: z.string(), scope: z.string() }),
  ])
  .transform((found) => (Array.isArray(found) ? found : [found]));

/** Graph's names for ids of app roles. */
export type RoleNames = ReadonlyMap<string, string>;

interface Held {
  /** Ids of Graph's app roles. */
  readonly graph: readonly string[];
  readonly exchange: readonly { readonly role: string; readonly scope: string }[];
}

export interface Verdict {
  /** Rights beyond the duty: a thief of this identity could use them. */
  readonly tooMuch: readonly string[];
  readonly missing: readonly string[];
}

/**
 * Compares the held rights with those that the duty needs. A mailbox permission in Graph overrides all Exchange scopes.
 */
export const judgeGrants = (duty: Duty, held: Held, names: RoleNames): Verdict => {
  const { graph, exchange, byChoice } = GRANTS[duty];
  const allowed = [...exchange, ...byChoice];
  const nameOf = (id: string): string => names.get(id) ?? id;
  const wantedIds = Object.values(graph);
  const isMailbox = (id: string): boolean => /^(Mail|Calendars|Contacts|Tasks)/.test(nameOf(id));
  return {
    tooMuch: [
      ...held.graph
        .filter((id) => !wantedIds.includes(id))
        .map((id) =>
          isMailbox(id)
            ? `${nameOf(id)} in Graph reaches every mailbox of the tenant, whatever its scope in Exchange: remove it`
            : `${nameOf(id)} in Graph is not needed: remove it`,
        ),
      ...held.exchange
        .filter(({ role }) => !allowed.includes(role))
        .map(({ role }) => `${role} in Exchange is not needed: remove it`),
      ...held.exchange
        .filter(({ role, scope }) => allowed.includes(role) && scope === "")
        .map(({ role }) => `${role} in Exchange has no scope and reaches every mailbox: give it one`),
    ],
    missing: [
      ...Object.entries(graph)
        .filter(([, id]) => !held.graph.includes(id))
        .map(([name]) => `${name} in Graph`),
      ...exchange
        .filter((role) => !held.exchange.some((one) => one.role === role))
        .map((role) => `${role} in Exchange`),
    ],
  };
};
