import { describe, expect, test } from "vitest";
import { PRINCIPAL_HEADER, principalOf, ROLES, readPrincipal } from "../../../shared/security/principal.ts";
import { aPrincipalHeader } from "./a-principal.ts";

const ID = "0a0a0a0a-1111-4222-8333-444444444444";
const ID_CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier";
const ROLE_CLAIM = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";

const header = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
const claims = (...pairs: [typ: string, val: unknown][]) => pairs.map(([typ, val]) => ({ typ, val }));

describe("readPrincipal", () => {
  test.each([ID_CLAIM, "oid"])("takes the object id of %s", (typ) => {
    expect(readPrincipal(header({ claims: claims([typ, ID.toUpperCase()]) }))).toEqual({ id: ID, roles: [] });
  });

  test("takes roles from claims of the header's role type and of the two usual ones, each once", () => {
    const text = header({
      auth_typ: "aad",
      name_typ: "name",
      role_typ: "app-role",
      claims: claims(
        ["oid", ID],
        ["app-role", "A"],
        ["roles", "B"],
        [ROLE_CLAIM, "C"],
        ["roles", "A"],
        ["groups", "D"],
      ),
    });

    expect(readPrincipal(text)?.roles).toEqual(["A", "B", "C"]);
  });

  test.each<[what: string, header: string | null]>([
    ["no header", null],
    ["an empty one", ""],
    ["no base64", "{}%"],
    ["no JSON", Buffer.from("principal").toString("base64")],
    ["JSON that is cut off", header({ claims: claims(["oid", ID]) }).slice(0, -8)],
    ["null", header(null)],
    ["a list", header([])],
    ["no claims", header({ auth_typ: "aad" })],
    ["claims that are none", header({ claims: [ID] })],
    ["a claim without a text", header({ claims: claims(["oid", 7]) })],
    ["no object id", header({ claims: claims(["roles", "Restore.Operator"]) })],
    ["an address for the object id", header({ claims: claims(["oid", "ada@contoso.example"]) })],
    ["brackets without end", Buffer.from("[".repeat(100_000)).toString("base64")],
  ])("finds no principal in %s", (_, text) => {
    expect(readPrincipal(text)).toBeUndefined();
  });
});

describe("principalOf", () => {
  const headers = new Headers(aPrincipalHeader({ id: ID, roles: ["Restore.Operator"] }));

  test("trusts the platform's header, with its name in any case", () => {
    expect(principalOf("platform")({ headers })).toEqual({ id: ID, roles: ["Restore.Operator"] });
    expect(PRINCIPAL_HEADER.toUpperCase()).toBe("X-MS-CLIENT-PRINCIPAL");
    expect(principalOf("platform")({ headers: new Headers() })).toBeUndefined();
  });

  test("gives every caller all roles where nobody signs in", () => {
    expect(principalOf("none")({ headers })).toMatchObject({ roles: ROLES });
    expect(principalOf("none")({ headers: new Headers() })).toMatchObject({ roles: ROLES });
  });
});
