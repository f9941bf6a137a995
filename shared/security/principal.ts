import * as z from "zod";

/** The app roles that this app asks for by name. */
export const ROLES = [
  "Vault.Reader",
  "Backup.Operator",
  "Restore.Operator",
  "Restore.CrossMailbox",
  "Privacy.Officer",
] as const;
export type Role = (typeof ROLES)[number];

/** A caller: the object id of a user or an application of the tenant, and its app roles. */
export interface Principal {
  readonly id: string;
  readonly roles: readonly string[];
}

/**
 * The header in which the platform's authentication names the caller. A caller's own header of this name is never
 * passed on. Source: learn.microsoft.com/azure/app-service/configure-authentication-user-identities.
 */
export const PRINCIPAL_HEADER = "x-ms-client-principal";

const ClientPrincipal = z.looseObject({
  claims: z.array(z.looseObject({ typ: z.string(), val: z.string() })),
  role_typ: z.string().nullish(),
});

const ID_CLAIMS: readonly string[] = ["http://schemas.microsoft.com/identity/claims/objectidentifier", "oid"];
const ROLE_CLAIMS: readonly string[] = ["http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "roles"];

/** The principal of a header's base64 JSON; `undefined` when it names no object id. */
export const readPrincipal = (header: string | null): Principal | undefined => {
  const parsed = ClientPrincipal.safeParse(jsonIn(header ?? ""));
  if (!parsed.success) return undefined;
  const { claims, role_typ } = parsed.data;
  const id = z.guid().safeParse(claims.find(({ typ }) => ID_CLAIMS.includes(typ))?.val);
  if (!id.success) return undefined;
  const roles = claims.filter(({ typ }) => typ === role_typ || ROLE_CLAIMS.includes(typ)).map(({ val }) => val);
  return { id: id.data.toLowerCase(), roles: [...new Set(roles)] };
};

const jsonIn = (base64: string): unknown => {
  try {
    return JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    return undefined;
  }
};

/** Stands for the caller where there is none: at endpoints for anyone, and in jobs that a timer starts. */
export const NOBODY: Principal = { id: "00000000-0000-0000-0000-000000000000", roles: [] };

/** Reads the caller of a request. */
export type PrincipalOf = (request: {
  readonly headers: { get(name: string): string | null };
}) => Principal | undefined;

/** Every caller of a stack on this machine. */
const LOCAL: Principal = { id: "00000000-0000-4000-8000-000000000001", roles: ROLES };

/** `platform` trusts the platform's header; `none`, for a stack on this machine, gives every caller all roles. */
export const principalOf = (authentication: "platform" | "none"): PrincipalOf =>
  authentication === "none" ? () => LOCAL : ({ headers }) => readPrincipal(headers.get(PRINCIPAL_HEADER));
