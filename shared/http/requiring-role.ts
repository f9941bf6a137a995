import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { Principal, PrincipalOf, Role } from "../security/principal.ts";
import { problem } from "./problem.ts";

/** A handler that is told who calls. */
export type SignedInHandler = (
  request: HttpRequest,
  context: InvocationContext,
  principal: Principal,
) => HttpResponseInit | Promise<HttpResponseInit>;

/** 403 that names the role. */
export const roleMissing = (role: Role): HttpResponseInit =>
  problem(403, "role-missing", `This needs the app role ${role}: ask who administers the app to assign it.`, { role });

/** Guards handlers by an app role: 401 for a caller who did not sign in, 403 for one without the role. */
export const requiringRoleOf =
  (principalOf: PrincipalOf) =>
  (role: Role, handler: SignedInHandler): HttpHandler =>
  (request, context) => {
    const principal = principalOf(request);
    if (principal === undefined)
      return problem(401, "not-signed-in", "Sign in first: the platform's authentication did not say who calls.");
    return principal.roles.includes(role) ? handler(request, context, principal) : roleMissing(role);
  };
