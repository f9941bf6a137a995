import type { HttpHandler } from "@azure/functions";
import { json, problemResponse } from "../../shared/http/problem.ts";
import { PROGRAM } from "../../shared/program.ts";

/**
 * GET /api/health
 *
 * 200 when the app runs and reaches its vault, else 503. Anyone may call, so nothing in it is confidential.
 */
export const getHealth =
  (deps: { readonly reachVault: () => Promise<boolean> }): HttpHandler =>
  async (_request, context) => {
    try {
      if (await deps.reachVault()) return json(200, { status: "healthy", program: PROGRAM });
      return problemResponse(
        503,
        "vault-missing",
        "The vault's container does not exist: create it, or check the settings.",
      );
    } catch (error) {
      context.error("The vault cannot be reached", error);
      return problemResponse(
        503,
        "vault-unreachable",
        "The vault cannot be reached: check its address and the app's rights.",
      );
    }
  };
