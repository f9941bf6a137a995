import { randomUUID } from "node:crypto";
import type { Clock } from "../contract.ts";
import { accepted, badArgument, flag, jsonBody, problem, reasonJson, segments, status } from "./http-message.ts";
import type { Hub } from "./hub.ts";
import { runtimeStatus } from "./instance.ts";
import { invalidInstanceId } from "./instance-id.ts";
import { filterOf, matches, pageOf, timeOf } from "./instance-query.ts";
import type { LargeValues } from "./large-values.ts";
import type { LoadedInstance } from "./loaded-instances.ts";
import { managementUrls } from "./management-urls.ts";
import { unknownOrchestrator } from "./registered-functions.ts";
import { type Status, type StatusOptions, statusOf } from "./status.ts";

const CONTINUATION = "x-ms-continuation-token";

type Later<T> = T | Promise<T>;

/** What the API asks of a task hub, in this process or in another. */
export interface HubClient
  extends Pick<Hub, "functions" | "withHistory" | "startNew" | "raiseEvent" | "terminate" | "suspend" | "purge"> {
  get(instanceId: string): Later<LoadedInstance | undefined>;
  all(): Later<LoadedInstance[]>;
}

interface ApiOptions {
  readonly hub: HubClient;
  readonly values: LargeValues;
  readonly clock: Clock;
  readonly hubName: string;
  readonly systemKey: string;
  /** Scheme, host and port of the host. */
  readonly origin: () => string;
}

interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly query: URLSearchParams;
}

/** The extension's HTTP API. Statuses, headers and bodies follow HttpApiHandler.cs. */
export const createHttpApi = ({ hub, values, clock, hubName, systemKey, origin }: ApiOptions) => {
  const otherTaskHub = (query: URLSearchParams): string | undefined => {
    const named = query.get("taskHub") ?? "";
    return named === "" || named.toLowerCase() === hubName.toLowerCase() ? undefined : named;
  };

  const start = async (call: Call, name: string, id: string | undefined): Promise<Response> => {
    if (call.request.method !== "POST") return status(404);
    const target = hub.functions().orchestrator(name);
    if (target === undefined) return badArgument(unknownOrchestrator(hub.functions(), name));
    const instanceId = id ?? randomUUID().replaceAll("-", "");
    const invalid = invalidInstanceId(instanceId);
    if (invalid !== undefined) return badArgument(invalid);
    const input = await jsonBody(call.request);
    return input === undefined ? problem(400, "Invalid JSON content") : startNew(call, target.name, instanceId, input);
  };

  const startNew = async (call: Call, name: string, instanceId: string, input: string): Promise<Response> => {
    if ((await hub.startNew({ name, instanceId, input })) === "alive") return await alreadyAlive(instanceId);
    return (await finishedInTime(call, instanceId)) ?? checkStatus(instanceId);
  };

  const alreadyAlive = async (instanceId: string): Promise<Response> => {
    const loaded = await hub.get(instanceId);
    const state = loaded === undefined ? "Pending" : runtimeStatus(loaded.instance);
    return problem(
      500,
      "Something went wrong while processing your request",
      `An Orchestration instance with the status ${state} already exists.`,
      "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException",
    );
  };

  /** The outcome of a start with `timeout` and `pollingInterval`; undefined when it does not come in time. */
  const finishedInTime = async ({ request, query }: Call, instanceId: string): Promise<Response | undefined> => {
    const timeoutSeconds = Number.parseFloat(query.get("timeout") ?? "");
    const loaded = await hub.get(instanceId);
    if (Number.isNaN(timeoutSeconds) || !query.has("pollingInterval") || loaded === undefined) return undefined;
    await timeLimit(loaded.ended, timeoutSeconds * 1000);
    const { end } = loaded.instance;
    if (end === undefined) return undefined;
    if (end.status !== "Completed") return showStatus({ request, url: new URL(request.url), query }, loaded);
    return new Response(await values.read(end.output), { headers: { "content-type": "application/json" } });
  };

  const timeLimit = async (work: Promise<void>, limitMs: number): Promise<void> => {
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = clock.at(clock.now() + limitMs, resolve);
    });
    await Promise.race([work, late]);
    cancel();
  };

  const checkStatus = (instanceId: string): Response => {
    const { rewindPostUri: _, ...body } = managementUrls({ origin: origin(), hubName, systemKey }, instanceId);
    const headers = { location: body.statusQueryGetUri, "retry-after": "10" };
    return Response.json(body, { status: 202, headers });
  };

  const many = async (call: Call): Promise<Response> => {
    if (call.request.method === "GET") return list(call);
    return call.request.method === "DELETE" ? purgeMany(call) : status(404);
  };

  const list = async ({ request, query }: Call): Promise<Response> => {
    const { instances, continuation } = pageOf(await hub.all(), query, request.headers.get(CONTINUATION));
    const options = { showInput: flag(query, "showInput", true), showHistory: false, showHistoryOutput: false };
    const body = await Promise.all(instances.map((loaded) => view(loaded, options)));
    return Response.json(body, { headers: { [CONTINUATION]: continuation } });
  };

  const purgeMany = async ({ query }: Call): Promise<Response> => {
    if (timeOf(query.get("createdTimeFrom")) === undefined) {
      return Response.json("Please provide value for 'createdTimeFrom' parameter.", { status: 400 });
    }
    const filter = { ...filterOf(query), instanceIdPrefix: "" };
    const chosen = (await hub.all()).filter(({ instance }) => instance.end !== undefined && matches(filter, instance));
    const purged = await Promise.all(chosen.map((loaded) => hub.purge(loaded)));
    const instancesDeleted = purged.filter(Boolean).length;
    return instancesDeleted === 0 ? status(404) : Response.json({ instancesDeleted });
  };

  const one = async (call: Call, loaded: LoadedInstance, operation?: string, argument?: string): Promise<Response> => {
    const { method } = call.request;
    if (operation === undefined) {
      if (method === "GET") return showStatus(call, loaded);
      if (method !== "DELETE") return status(404);
      return Response.json({ instancesDeleted: (await hub.purge(loaded)) ? 1 : 0 });
    }
    const name = operation.toLowerCase();
    if (method !== "POST" || (argument !== undefined) !== (name === "raiseevent")) return status(404);
    if (name === "restart") return restart(call, loaded);
    if (loaded.instance.end !== undefined && name !== "rewind") return status(410);
    switch (name) {
      case "raiseevent":
        return raiseEvent(call, loaded, argument ?? "");
      case "terminate":
        return accepted(hub.terminate(loaded, reasonJson(call.query)));
      case "suspend":
      case "resume":
        return suspend(call, loaded, name === "suspend");
      case "rewind":
        return Response.json("The local host cannot rewind an instance. Start it anew.", { status: 501 });
      default:
        return status(404);
    }
  };

  const missing = (instanceId: string, operation: string | undefined): Response => {
    if (operation?.toLowerCase() !== "restart") return status(404);
    return problem(400, "InstanceId does not match a valid orchestration instance.", `There is no '${instanceId}'.`);
  };

  const showStatus = async ({ url, query }: Call, loaded: LoadedInstance): Promise<Response> => {
    const body = await view(loaded, {
      showInput: flag(query, "showInput", true),
      showHistory: flag(query, "showHistory", false),
      showHistoryOutput: flag(query, "showHistoryOutput", false),
    });
    if (loaded.instance.end === undefined) {
      return Response.json(body, { status: 202, headers: { location: url.href, "retry-after": "5" } });
    }
    const isError = body.runtimeStatus === "Failed" && flag(query, "returnInternalServerErrorOnFailure", false);
    return Response.json(body, { status: isError ? 500 : 200 });
  };

  const view = (loaded: LoadedInstance, options: StatusOptions): Promise<Status> =>
    statusOf(loaded.instance, values, options, () => hub.withHistory(loaded));

  const restart = async (call: Call, { instance: { start } }: LoadedInstance): Promise<Response> => {
    const anew = flag(call.query, "restartWithNewInstanceId", true);
    const instanceId = anew ? randomUUID().replaceAll("-", "") : start.instanceId;
    return startNew(call, start.name, instanceId, await values.read(start.input));
  };

  const raiseEvent = async ({ request }: Call, loaded: LoadedInstance, name: string): Promise<Response> => {
    const body = await jsonBody(request);
    const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json") {
      return problem(400, "Only application/json request content is supported");
    }
    if (body === undefined) return problem(400, "Invalid JSON content");
    return accepted(hub.raiseEvent(loaded, name, body));
  };

  const suspend = async ({ query }: Call, loaded: LoadedInstance, suspended: boolean): Promise<Response> => {
    const { instance } = loaded;
    if (instance.suspended === suspended) {
      const verb = suspended ? "suspend" : "resume";
      const state = `the instance is in the ${runtimeStatus(instance)} state`;
      const why = `Cannot ${verb}: ${state}.`;
      return problem(
        500,
        "Something went wrong while processing your request",
        why,
        "System.InvalidOperationException",
      );
    }
    return accepted(hub.suspend(loaded, suspended, query.get("reason") ?? ""));
  };

  return async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const call: Call = { request, url, query: url.searchParams };
    const otherHub = otherTaskHub(call.query);
    if (otherHub !== undefined) return problem(400, `There is no task hub '${otherHub}' here, only '${hubName}'.`);

    const path = segments(url);
    if (path === undefined) return problem(400, "The URL holds a % that encodes nothing.");
    const [kind, id, operation, rest, ...more] = path;
    if (more.length > 0) return status(404);
    if (kind === "entities") return problem(501, "Durable entities are not supported by the local host.");
    if (kind === "orchestrators" && id !== undefined && rest === undefined) return start(call, id, operation);
    if (kind === "instances") {
      if (id === undefined) return many(call);
      const loaded = await hub.get(id);
      return loaded === undefined ? missing(id, operation) : one(call, loaded, operation, rest);
    }
    return status(404);
  };
};
