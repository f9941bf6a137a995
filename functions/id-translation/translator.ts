import type { HttpRequest } from "@azure/functions";
import type { AccessToken, TokenCredential } from "@azure/identity";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";

/**
 * Translates ids in the app's name or in the caller's. `open` returns Graph for one call, or a problem when the caller
 * has no token for it.
 */
export interface Translator {
  readonly by: "app" | "caller";
  open(request: Pick<HttpRequest, "headers">): Promise<OpenGraph | Problem>;
}

export const appTranslator = (openGraph: OpenGraph): Translator => ({ by: "app", open: async () => openGraph });

/**
 * The header with the token of a caller who signed in through the platform's authentication. Source:
 * learn.microsoft.com/azure/app-service/configure-authentication-oauth-tokens (2026-08).
 */
const CALLER_TOKEN_HEADER = "x-ms-token-aad-access-token";

/** Translates as the caller. No token is kept beyond the call. */
export const callerTranslator = (deps: {
  readonly scope: string;
  readonly credentialOf: (callerToken: string) => TokenCredential;
  readonly graphAs: (credential: TokenCredential) => OpenGraph;
}): Translator => ({
  by: "caller",
  open: async ({ headers }) => {
    const callerToken = headers.get(CALLER_TOKEN_HEADER);
    if (callerToken === null || callerToken === "") return NO_TOKEN;
    try {
      const token = await deps.credentialOf(callerToken).getToken(deps.scope);
      return token === null ? refused() : deps.graphAs(credentialWith(token));
    } catch (error) {
      if (!isAuthenticationError(error)) throw error;
      return refused(error.message);
    }
  },
});

/** A credential with one token, for one call. */
const credentialWith = (token: AccessToken): TokenCredential => ({ getToken: async () => token });

const NO_TOKEN = problem(
  401,
  "caller-token-missing",
  "Ids are translated in your name (ID_TRANSLATION), but the request has no token of yours: " +
    "sign in through the platform's authentication, with its token store turned on.",
);

/** By the library's names, since it wraps failures in classes of several kinds. */
const isAuthenticationError = (error: unknown): error is Error =>
  error instanceof Error &&
  /^(Aggregate)?Authentication(Required)?Error$|^CredentialUnavailableError$/.test(error.name);

/** Entra's message may name people, so the problem has its code only. */
const refused = (message = ""): Problem => {
  const code = /AADSTS\d+/.exec(message)?.[0];
  const detail =
    "Entra refused the app a token in your name: the app registration needs consent to the delegated permission " +
    "User.ReadBasic.All, and must trust the managed identity.";
  return problem(403, "on-behalf-of-refused", detail, code === undefined ? {} : { code });
};
