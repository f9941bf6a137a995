import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline";
import { expect, test } from "vitest";
import { onBehalfOf } from "../../../shared/security/on-behalf-of.ts";

const TENANT = "11111111-2222-4333-8444-555555555555";
const CLIENT = "66666666-7777-4888-8999-000000000000";
const LOGIN = `https://login.microsoftonline.com/${TENANT}`;

/** The endpoints of Entra that the library calls, and the forms that were posted to them. */
const anEntra = () => {
  const forms: URLSearchParams[] = [];
  const answer = (url: string): unknown => {
    if (url.includes("/discovery/instance")) return { tenant_discovery_endpoint: url, metadata: [] };
    if (url.includes("openid-configuration"))
      return {
        issuer: `${LOGIN}/v2.0`,
        authorization_endpoint: `${LOGIN}/oauth2/v2.0/authorize`,
        token_endpoint: `${LOGIN}/oauth2/v2.0/token`,
        jwks_uri: `${LOGIN}/discovery/v2.0/keys`,
      };
    return { token_type: "Bearer", expires_in: 3_600, access_token: "token-on-behalf-of-the-caller" };
  };
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      if (request.method === "POST") forms.push(new URLSearchParams(String(request.body)));
      return { request, status: 200, headers: createHttpHeaders(), bodyAsText: JSON.stringify(answer(request.url)) };
    },
  };
  return { forms, httpClient };
};

test("a caller's token becomes one for Graph, and the managed identity proves who asks", async () => {
  const { forms, httpClient } = anEntra();
  const scopes: unknown[] = [];
  const managedIdentity = {
    getToken: async (scope: string | string[]) => {
      scopes.push(scope);
      return { token: "assertion-of-the-identity", expiresOnTimestamp: Date.now() + 60_000 };
    },
  };
  const credential = onBehalfOf({ tenantId: TENANT, clientId: CLIENT, httpClient }, managedIdentity)("caller-token");

  const token = await credential.getToken("https://graph.microsoft.com/.default");

  expect(token?.token).toBe("token-on-behalf-of-the-caller");
  expect(scopes).toEqual(["api://AzureADTokenExchange/.default"]);
  expect(Object.fromEntries(forms.at(-1) ?? [])).toMatchObject({
    client_id: CLIENT,
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    requested_token_use: "on_behalf_of",
    assertion: "caller-token",
    client_assertion: "assertion-of-the-identity",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    scope: expect.stringContaining("https://graph.microsoft.com/.default"),
  });
});
