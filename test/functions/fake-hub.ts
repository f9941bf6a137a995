import { HttpRequest, type HttpResponseInit, InvocationContext } from "@azure/functions";
import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import type { ClientOf } from "../../shared/durable/client.ts";
import { isAlive } from "../../shared/durable/start-once.ts";

interface Started {
  readonly name: string;
  readonly instanceId: string | undefined;
  readonly input: unknown;
}

type Status = Partial<Omit<DurableOrchestrationStatus, "runtimeStatus">> & { readonly runtimeStatus: string };

/** In every status of a real hub, but not for callers: the input, and management URLs with their key. */
const SECRETS = {
  input: { secret: "the input" },
  statusQueryGetUri: "http://localhost/runtime/webhooks/durabletask/instances/x?code=system-key",
};

/**
 * A task hub in memory, with the methods of its client that functions call. Instances that it starts are pending, and a
 * live one is not started again.
 */
export const aFakeHub = (instances: Readonly<Record<string, Status>> = {}) => {
  const all = new Map(Object.entries(instances));
  const started: Started[] = [];
  const raised: (readonly [instanceId: string, event: string])[] = [];
  const purged: string[] = [];
  const client: Pick<DurableClient, "getStatus" | "getStatusBy" | "startNew" | "raiseEvent" | "purgeInstanceHistory"> =
    {
      getStatus: async (instanceId) => {
        const status = all.get(instanceId);
        if (status === undefined)
          throw new Error(`DurableClient error: the operation failed with HTTP 404: ${instanceId}`);
        const times = {
          createdTime: new Date("2026-11-22T01:00:00Z"),
          lastUpdatedTime: new Date("2026-11-22T01:05:00Z"),
        };
        const fixed = { instanceId, name: "backup-mailbox", customStatus: null, output: null, ...times };
        return { ...fixed, ...SECRETS, ...status } as unknown as DurableOrchestrationStatus;
      },
      getStatusBy: async ({ runtimeStatus }) =>
        Promise.all(
          [...all].flatMap(([instanceId, status]) =>
            runtimeStatus?.some((wanted) => String(wanted) === status.runtimeStatus)
              ? [client.getStatus(instanceId)]
              : [],
          ),
        ),
      startNew: async (name, options) => {
        const { instanceId, input } = options ?? {};
        if (isAlive(all.get(instanceId ?? "") as DurableOrchestrationStatus | undefined)) throw new Error("HTTP 500");
        started.push({ name, instanceId, input });
        all.set(instanceId ?? "", { name, runtimeStatus: "Pending" });
        return instanceId ?? "";
      },
      raiseEvent: async (instanceId, event) => {
        raised.push([instanceId, event]);
      },
      purgeInstanceHistory: async (instanceId) => {
        purged.push(instanceId);
        return { instancesDeleted: all.delete(instanceId) ? 1 : 0 };
      },
    };
  const clientOf: ClientOf = () => client as DurableClient;
  /** Ends an instance, as its status then shows. */
  const end = (instanceId: string, runtimeStatus = "Completed", createdTime?: Date): void =>
    void all.set(instanceId, { runtimeStatus, ...(createdTime && { createdTime }) });
  return { started, raised, purged, clientOf, end };
};

interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** A request as the host hands it to a handler; a body that is text goes as it is. */
const aRequest = ({ method = "GET", params = {}, query = {}, headers = {}, body }: Asked = {}): HttpRequest =>
  new HttpRequest({
    method,
    url: "http://localhost:7071/api/any",
    params,
    query,
    headers,
    ...(body === undefined ? {} : { body: { string: typeof body === "string" ? body : JSON.stringify(body) } }),
  });

/** A context that drops its log. */
export const aQuietContext = (): InvocationContext => new InvocationContext({ logHandler: () => undefined });

type Handler = (request: HttpRequest, context: InvocationContext) => unknown;

/** A handler's answer: status, headers, text and, if that is JSON, its value. */
export const ask = async (handler: Handler, asked: Asked = {}) => {
  const answer = (await handler(aRequest(asked), aQuietContext())) as HttpResponseInit;
  const text = String(answer.body);
  const headers = { ...(answer.headers as Record<string, string>) };
  const body: unknown = headers["content-type"]?.includes("json") ? JSON.parse(text) : undefined;
  return { status: answer.status, headers, body, text };
};

export const PROBLEM = { "content-type": "application/problem+json" };
