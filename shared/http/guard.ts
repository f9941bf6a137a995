import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { NOBODY, type Principal, type PrincipalOf, type Role } from "../security/principal.ts";
import { type Problem, problem, problemResponse, respondWith } from "./problem.ts";
import type { Start } from "./start.ts";

/** A handler that gets the caller's principal. */
export type SignedInHandler = (
  request: HttpRequest,
  context: InvocationContext,
  principal: Principal,
  /** What it names its job by, where the call may be a repetition. */
  start?: Start,
) => HttpResponseInit | Promise<HttpResponseInit>;

/** A handler that starts jobs, and needs no principal. */
export type StartHandler = (
  request: HttpRequest,
  context: InvocationContext,
  principal?: Principal,
  start?: Start,
) => Promise<HttpResponseInit>;

/** Who may call: a caller with one of these app roles, or anyone. */
export type Callers = readonly [Role, ...Role[]] | "anyone";

/** 403 that names the roles; one of them is enough. */
export const roleMissingProblem = (...roles: readonly [Role, ...Role[]]): Problem =>
  problem(
    403,
    "role-missing",
    `This needs the app role ${roles.join(" or ")}: ask an administrator of the app to assign it.`,
    { roles },
  );

export const refuseRole = (...roles: readonly [Role, ...Role[]]): HttpResponseInit =>
  respondWith(roleMissingProblem(...roles));

/** Guards handlers by app roles: 401 for a caller who is not signed in, 403 for one without any of the roles. */
export const guardOf =
  (principalOf: PrincipalOf) =>
  (callers: Callers, handler: SignedInHandler): HttpHandler =>
  (request, context) => {
    if (callers === "anyone") return handler(request, context, NOBODY);
    const principal = principalOf(request);
    if (principal === undefined)
      return problemResponse(
        401,
        "not-signed-in",
        "Sign in first: the platform's authentication did not name a caller.",
      );
    const mayCall = callers.some((role) => principal.roles.includes(role));
    return mayCall ? handler(request, context, principal) : refuseRole(...callers);
  };
