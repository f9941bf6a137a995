import type { IncomingMessage, ServerResponse } from "node:http";
import { FunctionFailedError, WorkerLostError } from "../contract.ts";
import { StartError } from "../start-error.ts";
import type { AppFunction } from "./app-function.ts";
import { BodyTooLargeError, httpMetadata, readBody, sendHttpData, toHttpData, urlOf } from "./http-messages.ts";
import { NoAnswerError, runStreamed, type StreamLimits } from "./http-stream.ts";
import { compareRoutes, matchRoute, parseRoute, type RouteTemplate } from "./route-template.ts";

export interface HttpRoute {
  readonly functionName: string;
  /** Upper case. */
  readonly methods: readonly string[];
  /** With the prefix, without a leading slash. */
  readonly path: string;
}

export interface HttpTriggers {
  readonly routes: readonly HttpRoute[];
  /** Runs the function whose route and method match; answers 404 when there is none. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

interface Entry extends HttpRoute {
  readonly template: RouteTemplate;
  readonly target: AppFunction;
}

/** The HTTP functions of the app at their routes. @throws {StartError} when a route is invalid. */
export const httpTriggers = (
  functions: readonly AppFunction[],
  options: { readonly routePrefix: string; readonly streams: boolean; readonly limits: StreamLimits },
): HttpTriggers => {
  const entries = functions
    .filter(({ triggerType }) => triggerType === "httptrigger")
    .map((target) => toEntry(target, options.routePrefix))
    .sort((a, b) => compareRoutes(a.template, b.template));

  return {
    routes: entries,
    async handle(request, response) {
      const found = find(entries, request);
      if (found === "malformed") return answer(response, 400);
      if (found === undefined) return answer(response, 404);
      try {
        if (options.streams) await runStreamed(found.target, request, response, found.params, options.limits);
        else await runBuffered(found.target, request, response, found.params, options.limits.maxBodyBytes);
      } catch (error) {
        answerFailure(response, error);
      }
    },
  };
};

const toEntry = (target: AppFunction, routePrefix: string): Entry => {
  const { route, methods } = target.trigger;
  const path = [routePrefix, typeof route === "string" && route !== "" ? route : target.name]
    .filter((part) => part !== "")
    .join("/");
  try {
    const allowed = Array.isArray(methods) ? methods.map((method) => String(method).toUpperCase()) : [];
    return { functionName: target.name, methods: allowed, path, template: parseRoute(path), target };
  } catch (error) {
    throw new StartError(`${target.name}, route ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const find = (entries: readonly Entry[], request: IncomingMessage) => {
  const method = request.method ?? "GET";
  try {
    const path = urlOf(request).pathname;
    if (path.includes("%00")) return "malformed";
    for (const { template, methods, target } of entries) {
      // For a method that the route does not take, the real host answers 404, not 405.
      if (methods.length > 0 && !methods.includes(method)) continue;
      const params = matchRoute(template, path);
      if (params !== undefined) return { target, params };
    }
    return undefined;
  } catch (error) {
    if (error instanceof URIError || error instanceof TypeError) return "malformed";
    throw error;
  }
};

const runBuffered = async (
  { run }: AppFunction,
  request: IncomingMessage,
  response: ServerResponse,
  params: Record<string, string>,
  maxBodyBytes: number,
): Promise<void> => {
  const data = toHttpData(request, params, await readBody(request, maxBodyBytes));
  const { returnValue } = await run({ http: data }, httpMetadata(request, params));
  sendHttpData(response, returnValue?.http);
};

/** Answers a failure of the function or of the caller; any other is thrown on. */
const answerFailure = (response: ServerResponse, error: unknown): void => {
  if (!KNOWN.some((kind) => error instanceof kind)) throw error;
  if (response.headersSent) response.destroy();
  else answer(response, error instanceof BodyTooLargeError ? 413 : 500);
};

const KNOWN = [BodyTooLargeError, FunctionFailedError, WorkerLostError, NoAnswerError];

const answer = (response: ServerResponse, status: number): void => {
  // The body of a refused request is still on its way, so the connection cannot be used again.
  response.writeHead(status, status === 404 ? {} : { connection: "close" }).end();
};
