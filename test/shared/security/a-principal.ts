import { PRINCIPAL_HEADER, type Principal } from "../../../shared/security/principal.ts";

const asHeader = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

/** The header in which the platform names an Entra user who signed in. */
export const aPrincipalHeader = ({ id, roles }: Principal): Record<string, string> => ({
  [PRINCIPAL_HEADER]: asHeader({
    auth_typ: "aad",
    name_typ: "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    role_typ: "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
    claims: [
      { typ: "http://schemas.microsoft.com/identity/claims/objectidentifier", val: id },
      ...roles.map((val) => ({ typ: "roles", val })),
    ],
  }),
});
