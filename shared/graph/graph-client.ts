import { finished, PassThrough, pipeline as pipe } from "node:stream";
import { setImmediate as yieldToEventLoop } from "node:timers/promises";
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
import { BrokenAnswerError } from "./broken-answer.ts";
import { GraphError, readErrorBody } from "./graph-error.ts";
import { MailboxClosedError, waitAtGate } from "./mailbox-gate.ts";
import { MAX_MOVES, movedTarget } from "./moved-mailbox.ts";
import { budgetedRetry, type RequestBudget } from "./request-budget.ts";
import { retryAfterMs } from "./retry-after.ts";
import { OutOfTimeError, SlotsLostError } from "./stopped-work.ts";

/** Longest time until an answer begins: the export of a 150 MB item has been seen to take minutes. */
const ANSWER_TIMEOUT_MS = 5 * 60_000;

/** Longest time until an answer's last byte. Source: the timeout for 150 MB items in a mailbox copy product. */
const WHOLE_ANSWER_MS = 20 * 60_000;

/**
 * Bytes of a streamed answer that are read ahead of its consumer. Twenty items of common sizes fit in, so that most
 * answers free their slot when they have arrived, and not when they have been decoded and deflated.
 */
const READ_AHEAD_BYTES = 3 * 1024 * 1024;

/** More tries than any deadline allows: the deadline ends the retries, not their number. */
const MAX_TRIES = 100;

export interface GraphRequest {
  /** The request's name in errors and logs, without ids and query strings. */
  readonly operation: string;
  /** A path with its version, or a nextLink or deltaLink of Graph, which is used unchanged. */
  readonly target: string;
  readonly method?: HttpMethods;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A success with its headers. */
export interface GraphAnswer<T> {
  readonly body: T;
  readonly header: (name: string) => string | undefined;
}

/**
 * Microsoft Graph for one piece of work: retries within the work's budget, and parses the answers. Instead of sending a
 * request after the budget's end it throws {OutOfTimeError}, and without the budget's slots {SlotsLostError}.
 */
export interface GraphClient {
  /** Graph's origin. Links to other origins are not followed. */
  readonly endpoint: string;
  /** The same client for a part of the work that ends then, or with the work if that is earlier. */
  endingAt(endsMs: number): GraphClient;
  /** Returns the parsed JSON of a success. @throws {GraphError} for any other answer, or none. */
  json<S extends z.ZodType>(request: GraphRequest, schema: S): Promise<z.output<S>>;
  /** Like `json`, with the headers. An empty body is parsed as null. */
  answer<S extends z.ZodType>(request: GraphRequest, schema: S): Promise<GraphAnswer<z.output<S>>>;
  /** Returns the body of a success as a stream, which throws if it breaks off. @throws {GraphError} like `json`. */
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

/** Opens Graph for one piece of work with a budget of its own. All share their connections. */
export type OpenGraph = (budget: RequestBudget) => GraphClient;

const linkOf = (endpoint: string, target: string): string => {
  const url = new URL(target, endpoint);
  if (url.origin !== endpoint) throw new Error(`Graph named a link on another host (${url.host}): it is not followed`);
  return url.href;
};

/**
 * Microsoft Graph over @azure/core-rest-pipeline. A redirect is followed only to another part of an archive at the same
 * endpoint: the credential is never sent elsewhere.
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

  const open: OpenGraph = (budget) => {
    const { endsMs = Number.POSITIVE_INFINITY } = budget;
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(proxyPolicy());
    pipeline.addPolicy(decompressResponsePolicy());
    pipeline.addPolicy(userAgentPolicy({ userAgentPrefix: userAgent }));
    pipeline.addPolicy(setClientRequestIdPolicy("client-request-id"));
    pipeline.addPolicy(retryPolicy([budgetedRetry(budget)], { maxRetries: MAX_TRIES }), { phase: "Retry" });
    pipeline.addPolicy(waitAtGate(budget), { afterPhase: "Retry" });
    pipeline.addPolicy(endingWithin(wholeAnswerMs, endsMs), { afterPhase: "Retry" });
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

    /** Waits for a slot. @throws {OutOfTimeError | SlotsLostError} when nothing may be sent any more. */
    const slot = async (operation: string): Promise<(() => void) | undefined> => {
      const release = await budget.slots?.acquire(budget.endsMs);
      try {
        if (budget.isHeld?.() === false) throw new SlotsLostError(`The slots for ${operation} are lost`);
        if (Date.now() >= endsMs) throw new OutOfTimeError(`There is no time left for ${operation}`);
        return release;
      } catch (error) {
        release?.();
        throw error;
      }
    };

    const answer: GraphClient["answer"] = async (request, schema) => {
      const release = await slot(request.operation);
      const response = await send(request, false).finally(release);
      const parsed = schema.safeParse(jsonOf(request.operation, response));
      if (parsed.success) return { body: parsed.data, header: (name) => response.headers.get(name) };
      const at = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
      throw new BrokenAnswerError(`Graph's answer to ${request.operation} is not of the expected shape at ${at}`);
    };

    return {
      endpoint,
      endingAt: (ms) => open({ ...budget, endsMs: Math.min(ms, endsMs) }),
      answer,
      json: async (request, schema) => (await answer(request, schema)).body,
      stream: async (request) => {
        const release = await slot(request.operation);
        try {
          const { readableStreamBody } = await send(request, true);
          if (readableStreamBody === undefined) throw new Error(`Graph's answer to ${request.operation} has no body`);
          return await readAhead(readableStreamBody, release);
        } catch (error) {
          release?.();
          throw error;
        }
      },
    };
  };
  return open;
};

/**
 * Reads a body ahead of its consumer, and resolves when the whole body or {@link READ_AHEAD_BYTES} of it have arrived.
 * `arrived` is called at its last byte, or when it breaks off; a request that waits for the slot is sent before the
 * consumer gets busy with the content.
 */
const readAhead = async (
  body: NodeJS.ReadableStream,
  arrived: () => void = () => undefined,
): Promise<AsyncIterable<Uint8Array>> => {
  // A failure is thrown to the consumer, whose stream it ends too.
  const ahead = pipe(body, new PassThrough({ highWaterMark: READ_AHEAD_BYTES / 2 }), () => undefined);
  await new Promise<void>((resolve) => {
    body.once("pause", resolve);
    finished(body, () => {
      arrived();
      resolve();
    });
  });
  await yieldToEventLoop();
  return ahead;
};

/**
 * Aborts each try after a time, or at the end of the work. The library's own timeout ends with the headers, so a
 * stalled body would never end.
 */
const endingWithin = (ms: number, endsMs: number): PipelinePolicy => ({
  name: "endingWithin",
  sendRequest: (request, next) => {
    request.abortSignal = AbortSignal.timeout(Math.max(0, Math.floor(Math.min(ms, endsMs - Date.now()))));
    return next(request);
  },
});

/** The JSON of a success. The parser's own error is not passed on: it quotes the text, which may hold a credential. */
const jsonOf = (operation: string, { bodyAsText }: PipelineResponse): unknown => {
  try {
    return JSON.parse(bodyAsText || "null");
  } catch {
    throw new BrokenAnswerError(`Graph's answer to ${operation} is not JSON`);
  }
};

/** Bearer authentication without TLS, which the library refuses. Configuration allows it for the local machine only. */
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

/** Sends a request. @throws {GraphError} without a URL when there is no answer, or its mailbox is closed. */
export const answerOf = async (
  operation: string,
  sendRequest: () => Promise<PipelineResponse>,
): Promise<PipelineResponse> => {
  try {
    return await sendRequest();
  } catch (error) {
    if (error instanceof MailboxClosedError)
      throw new GraphError(operation, { status: 429, code: "MailboxClosed", retryAfterMs: error.closedMs });
    const isUnanswered = isRestError(error) || (error instanceof Error && error.name === "AbortError");
    if (!isUnanswered) throw error;
    throw new GraphError(operation, { status: 0, code: isRestError(error) ? (error.code ?? "") : "timeout" });
  }
};

/** The error of an answer that is no success. */
export const failureOf = (operation: string, response: PipelineResponse): GraphError => {
  const { code, requestId } = readErrorBody(response.bodyAsText ?? "");
  return new GraphError(operation, {
    status: response.status,
    code,
    requestId: requestId ?? response.headers.get("request-id"),
    retryAfterMs: retryAfterMs(response.headers.get("retry-after"), Date.now()),
  });
};
