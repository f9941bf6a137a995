import { finished, PassThrough, pipeline as pipe } from "node:stream";
import { setImmediate as breathe } from "node:timers/promises";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  decompressResponsePolicy,
  type HttpClient,
  type HttpMethods,
  isRestError,
  type PipelinePolicy,
  type PipelineResponse,
  proxyPolicy,
  retryPolicy,
  setClientRequestIdPolicy,
  userAgentPolicy,
} from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import type * as z from "zod";
import { GraphError, readErrorBody } from "./graph-error.ts";
import { MAX_MOVES, movedTarget } from "./moved-mailbox.ts";
import { budgetedRetry, type RequestBudget } from "./request-budget.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Longest a request may take to be answered; an export of a 150 MB item has been seen to take minutes. */
const ANSWER_TIMEOUT_MS = 5 * 60_000;

/** Longest until an answer's last byte. Source: the timeout that covers 150 MB items in a mailbox copy product. */
const WHOLE_ANSWER_MS = 20 * 60_000;

/** Bytes of a streamed answer that are taken in ahead of its reader, so that most answers free their slot at once. */
const READ_AHEAD_BYTES = 512 * 1024;

/** More tries than any deadline allows for: time ends the retries, not their number. */
const MAX_TRIES = 100;

export interface GraphRequest {
  /** How the request is named in errors and logs; free of ids and query strings. */
  readonly operation: string;
  /** Path with its version, or a nextLink or deltaLink that Graph gave, which is used as it is. */
  readonly target: string;
  readonly method?: HttpMethods;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A success, where more than its body matters. */
export interface GraphAnswer<T> {
  readonly body: T;
  readonly header: (name: string) => string | undefined;
}

/** Microsoft Graph for one piece of work: retries while the work's patience lasts, and parses what comes back. */
export interface GraphClient {
  /** The origin that answers: whatever Graph names elsewhere is not followed. */
  readonly endpoint: string;
  /** The parsed JSON of a success. @throws {GraphError} for any other answer, or none. */
  json<S extends z.ZodType>(request: GraphRequest, schema: S): Promise<z.output<S>>;
  /** As `json`, with the headers. An empty body reads as null. */
  answer<S extends z.ZodType>(request: GraphRequest, schema: S): Promise<GraphAnswer<z.output<S>>>;
  /** The body of a success as it arrives. @throws {GraphError} as `json`; a body that breaks off throws while read. */
  stream(request: GraphRequest): Promise<AsyncIterable<Uint8Array>>;
}

export interface GraphOptions {
  readonly endpoint: string;
  readonly credential: TokenCredential;
  readonly userAgent: string;
  readonly httpClient?: HttpClient;
  /** Milliseconds until an answer's last byte. */
  readonly wholeAnswerMs?: number;
}

/** Opens Graph for one piece of work, which has a deadline of its own. Connections are shared by all. */
export type OpenGraph = (budget: RequestBudget) => GraphClient;

const linkOf = (endpoint: string, target: string): string => {
  const url = new URL(target, endpoint);
  if (url.origin !== endpoint) throw new Error(`Graph named a link on another host (${url.host}): it is not followed`);
  return url.href;
};

/**
 * Microsoft Graph over @azure/core-rest-pipeline. The only redirects that are followed lead to another part of an archive
 * at the same endpoint: a credential goes nowhere else.
 */
export const graph = ({
  endpoint,
  credential,
  userAgent,
  httpClient = createDefaultHttpClient(),
  wholeAnswerMs = WHOLE_ANSWER_MS,
}: GraphOptions): OpenGraph => {
  const insecure = endpoint.startsWith("http:");
  const auth = bearerTokenAuthenticationPolicy({ credential, scopes: [`${endpoint}/.default`] });

  return (budget) => {
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(proxyPolicy());
    pipeline.addPolicy(decompressResponsePolicy());
    pipeline.addPolicy(userAgentPolicy({ userAgentPrefix: userAgent }));
    pipeline.addPolicy(setClientRequestIdPolicy("client-request-id"));
    pipeline.addPolicy(retryPolicy([budgetedRetry(budget)], { maxRetries: MAX_TRIES }), { phase: "Retry" });
    pipeline.addPolicy(endingWithin(wholeAnswerMs), { afterPhase: "Retry" });
    if (!insecure) pipeline.addPolicy(auth, { phase: "Sign" });
    else pipeline.addPolicy(localAuthentication(credential), { phase: "Sign" });

    const sendTo = (url: string, request: GraphRequest, streamed: boolean): Promise<PipelineResponse> => {
      const message = createPipelineRequest({
        url,
        method: request.method ?? "GET",
        headers: createHttpHeaders({ accept: "application/json", ...request.headers }),
        timeout: ANSWER_TIMEOUT_MS,
        allowInsecureConnection: insecure,
        ...(streamed ? { streamResponseStatusCodes: new Set([200]) } : {}),
      });
      if (request.body !== undefined) {
        message.headers.set("content-type", "application/json");
        message.body = JSON.stringify(request.body);
      }
      return answerOf(request.operation, () => pipeline.sendRequest(httpClient, message));
    };

    const send = async (request: GraphRequest, streamed: boolean): Promise<PipelineResponse> => {
      let url = linkOf(endpoint, request.target);
      for (let moves = 0; ; moves += 1) {
        const response = await sendTo(url, request, streamed);
        if (response.status >= 200 && response.status < 300) return response;
        const location = response.status === 308 ? response.headers.get("location") : undefined;
        if (location === undefined || moves === MAX_MOVES) throw failureOf(request.operation, response);
        url = movedTarget(endpoint, url, location);
      }
    };

    const answer: GraphClient["answer"] = async (request, schema) => {
      const release = await budget.slots?.acquire();
      const response = await send(request, false).finally(release);
      const parsed = schema.safeParse(jsonOf(request.operation, response));
      if (parsed.success) return { body: parsed.data, header: (name) => response.headers.get(name) };
      const at = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
      throw new Error(`Graph's answer to ${request.operation} is not of the expected shape at ${at}`);
    };

    return {
      endpoint,
      answer,
      json: async (request, schema) => (await answer(request, schema)).body,
      stream: async (request) => {
        const release = await budget.slots?.acquire();
        try {
          const { readableStreamBody } = await send(request, true);
          if (readableStreamBody === undefined) throw new Error(`Graph's answer to ${request.operation} has no body`);
          return await arriving(readableStreamBody, release);
        } catch (error) {
          release?.();
          throw error;
        }
      },
    };
  };
};

/**
 * The body, once it has arrived whole, or as much of it as is taken in ahead of a reader. `arrived` is called at its last
 * byte, or when it breaks off; what waits for that goes first, before the reader gets busy with what has come.
 */
const arriving = async (
  body: NodeJS.ReadableStream,
  arrived: () => void = () => undefined,
): Promise<AsyncIterable<Uint8Array>> => {
  // A failure reaches the reader, whose stream it ends too.
  const ahead = pipe(body, new PassThrough({ highWaterMark: READ_AHEAD_BYTES / 2 }), () => undefined);
  await new Promise<void>((resolve) => {
    body.once("pause", resolve);
    finished(body, () => {
      arrived();
      resolve();
    });
  });
  await breathe();
  return ahead;
};

/** Ends each try after a time. The library's own timeout stops at the headers, so a body that stalls would never end. */
const endingWithin = (ms: number): PipelinePolicy => ({
  name: "endingWithin",
  sendRequest: (request, next) => {
    request.abortSignal = AbortSignal.timeout(ms);
    return next(request);
  },
});

/** The JSON of a success. A parser's own error would quote the text, which may hold a credential. */
export const jsonOf = (operation: string, { bodyAsText }: PipelineResponse): unknown => {
  try {
    return JSON.parse(bodyAsText || "null");
  } catch {
    throw new Error(`Graph's answer to ${operation} is not JSON`);
  }
};

/** Bearer authentication without TLS, which the library refuses: configuration allows it for this machine only. */
const localAuthentication = (credential: TokenCredential) => ({
  name: "localAuthentication",
  sendRequest: async (
    request: Parameters<HttpClient["sendRequest"]>[0],
    next: HttpClient["sendRequest"],
  ): Promise<PipelineResponse> => {
    const token = await credential.getToken([]);
    request.headers.set("authorization", `Bearer ${token?.token ?? ""}`);
    return next(request);
  },
});

/** Sends, and turns "no answer" into a {@link GraphError} that carries no URL. */
export const answerOf = async (
  operation: string,
  sendRequest: () => Promise<PipelineResponse>,
): Promise<PipelineResponse> => {
  try {
    return await sendRequest();
  } catch (error) {
    const silent = isRestError(error) || (error instanceof Error && error.name === "AbortError");
    if (!silent) throw error;
    throw new GraphError(operation, { status: 0, code: isRestError(error) ? (error.code ?? "") : "timeout" });
  }
};

/** The error in an answer that is no success. */
export const failureOf = (operation: string, response: PipelineResponse): GraphError => {
  const { code, requestId } = readErrorBody(response.bodyAsText ?? "");
  return new GraphError(operation, {
    status: response.status,
    code,
    requestId: requestId ?? response.headers.get("request-id"),
    retryAfterMs: retryAfterMs(response.headers.get("retry-after"), Date.now()),
  });
};
