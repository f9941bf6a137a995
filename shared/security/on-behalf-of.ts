import type { HttpClient } from "@azure/core-rest-pipeline";
import { OnBehalfOfCredential, type TokenCredential } from "@azure/identity";

/** The app registration that callers sign in by. It may request tokens on their behalf. */
export interface OnBehalfOf {
  readonly tenantId: string;
  readonly clientId: string;
  readonly httpClient?: HttpClient;
}

/**
 * The scope with which a managed identity's token is accepted as the app registration's assertion. Source:
 * learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity (2026-08).
 */
const ASSERTION_SCOPE = "api://AzureADTokenExchange/.default";

/**
 * Credentials on behalf of callers, each from the token of its call. The app registration trusts the managed identity,
 * so it needs no secret of its own.
 */
export const onBehalfOf =
  ({ tenantId, clientId, ...options }: OnBehalfOf, managedIdentity: TokenCredential) =>
  (callerToken: string): TokenCredential =>
    new OnBehalfOfCredential({
      ...options,
      tenantId,
      clientId,
      userAssertionToken: callerToken,
      getAssertion: async () => {
        const assertion = await managedIdentity.getToken(ASSERTION_SCOPE);
        if (assertion === null) throw new Error("The managed identity has no token to prove the app registration with");
        return assertion.token;
      },
    });
