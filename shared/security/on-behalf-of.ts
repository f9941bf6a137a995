import type { HttpClient } from "@azure/core-rest-pipeline";
import { OnBehalfOfCredential, type TokenCredential } from "@azure/identity";

/** The app registration by which callers sign in, and which may ask for tokens in their name. */
export interface OnBehalfOf {
  readonly tenantId: string;
  readonly clientId: string;
  readonly httpClient?: HttpClient;
}

/**
 * What a managed identity's token must be for, to pass as the app registration's own assertion. Source:
 * learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity (2026-08).
 */
const ASSERTION_SCOPE = "api://AzureADTokenExchange/.default";

/**
 * Credentials of callers, each by the token with which they called. The app registration proves itself by its trust in the
 * managed identity, so there is no secret of its own.
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
