import { z } from "zod";
import { FunctionFailedError, type TypedData, WorkerLostError } from "../contract.ts";
import type { AppFunction } from "./app-function.ts";
import { eventInvocation } from "./event-grid.ts";
import type { HttpRoute } from "./http.ts";
import type { TimerTriggers } from "./timers.ts";

const Invocation = z.object({ input: z.string().default("") });
const Event = z.record(z.string(), z.unknown());

export interface AdminDeps {
  readonly functions: readonly AppFunction[];
  readonly routes: readonly HttpRoute[];
  readonly timers: TimerTriggers;
  readonly baseUrl: () => string;
  /** The processes that run the app. */
  readonly pids: () => readonly number[];
}

/**
 * Serves `/admin/`: `GET functions`, `GET functions/{name}`, `POST functions/{name}` with `{"input"}` (202, then runs
 * it at once), `GET host/status`, `GET host/ping` and `GET host/processes`.
 */
export const adminEndpoint = (deps: AdminDeps): ((request: Request) => Promise<Response>) => {
  const startedAt = performance.now();
  const describe = describer(deps);

  return async (request) => {
    const [, , area, name, ...more] = new URL(request.url).pathname.split("/");
    if (area === "host" && name === "ping") return new Response(null, { status: 200 });
    if (area === "host" && name === "status" && request.method === "GET") {
      return Response.json({
        state: "Running",
        version: "local",
        processUptime: Math.round(performance.now() - startedAt),
      });
    }
    if (area === "host" && name === "processes" && request.method === "GET")
      return Response.json({ processes: deps.pids().map((processId) => ({ processId, processName: "node" })) });
    if (area !== "functions" || more.length > 0) return new Response(null, { status: 404 });
    if (name === undefined || name === "") return Response.json(deps.functions.map(describe));

    const found = deps.functions.find((each) => each.name.toLowerCase() === decodeURIComponent(name).toLowerCase());
    if (found === undefined) return new Response(null, { status: 404 });
    return request.method === "POST" ? invoke(found, deps.timers, request) : Response.json(describe(found));
  };
};

const describer =
  ({ routes, baseUrl }: AdminDeps) =>
  ({ name, bindings }: AppFunction) => {
    const route = routes.find(({ functionName }) => functionName === name);
    return {
      name,
      language: "node",
      isDisabled: false,
      href: `${baseUrl()}/admin/functions/${name}`,
      invoke_url_template: route === undefined ? null : `${baseUrl()}/${route.path}`,
      config: { name, bindings: Object.entries(bindings).map(([key, binding]) => ({ name: key, ...binding })) },
    };
  };

const invoke = async (found: AppFunction, timers: TimerTriggers, request: Request): Promise<Response> => {
  const body = Invocation.safeParse(await request.json().catch(() => undefined));
  if (!body.success) return new Response('Send JSON such as {"input": ""}.', { status: 400 });
  const invocation = invocationOf(found, timers, body.data.input);
  if (typeof invocation === "string") return new Response(invocation, { status: 400 });

  found.run(...invocation).catch((error) => {
    // The pool has logged the failure; the caller was answered before the function began.
    if (!(error instanceof FunctionFailedError || error instanceof WorkerLostError)) throw error;
  });
  return new Response(null, { status: 202 });
};

/** The trigger's data and metadata, or what is wrong with the input. */
const invocationOf = (
  { name, triggerType }: AppFunction,
  timers: TimerTriggers,
  input: string,
): [TypedData, Record<string, TypedData>?] | string => {
  if (triggerType === "timertrigger") return [timers.input(name) ?? {}];
  if (triggerType === "eventgridtrigger") {
    const event = Event.safeParse(parseJson(input));
    return event.success ? eventInvocation(event.data) : "The input of an Event Grid function is one event as JSON.";
  }
  return `A function with a ${triggerType} cannot be run from here.`;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
