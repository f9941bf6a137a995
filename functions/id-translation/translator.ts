import type { HttpRequest } from "@azure/functions";
import type { AccessToken, TokenCredential } from "@azure/identity";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { type Problem, problem } from "../../shared/http/problem.ts";

/**
 * In whose name Graph translates ids: the app's own, or the caller's. `open` gives Graph for one call; a problem when the
 * caller has no token that would do.
 */
export interface Translator {
  readonly by: "app" | "caller";
  open(request: Pick<HttpRequest, "headers">): Promise<OpenGraph | Problem>;
}

export const appTranslator = (openGraph: OpenGraph): Translator => ({ by: "app", open: async () => openGraph });

/**
 * Where the platform's authentication hands on the token with which a caller signed in. Source:
 * learn.microsoft.com/azure/app-service/configure-authentication-oauth-tokens (2026-08).
 */
const CALLER_TOKEN_HEADER = "x-ms-token-aad-access-token";

/** Translates as the caller, whose tokens live as long as the call. */
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
      return token === null ? refused() : deps.graphAs(holding(token));
    } catch (error) {
      if (!isAuthenticationError(error)) throw error;
      return refused(error.message);
    }
  },
});

/** One token, for as long as one call takes. */
const holding = (token: AccessToken): TokenCredential => ({ getToken: async () => token });

const NO_TOKEN = problem(
  401,
  "caller-token-missing",
  "Ids are translated in your name here (ID_TRANSLATION), and the platform's authentication handed on no token of yours: sign in through it, with its token store turned on.",
);

/** The library's own names, since it wraps what fails in classes of several kinds. */
const isAuthenticationError = (error: unknown): error is Error =>
  error instanceof Error &&
  /^(Aggregate)?Authentication(Required)?Error$|^CredentialUnavailableError$/.test(error.name);

/** Entra's message may name people, so only its code is told. */
const refused = (message = ""): Problem => {
  const code = /AADSTS\d+/.exec(message)?.[0];
  const detail =
    "Entra gives the app no token in your name: the app registration needs consent to the delegated permission User.ReadBasic.All, and must trust the managed identity.";
  return problem(403, "on-behalf-of-refused", detail, code === undefined ? {} : { code });
};
