import { z } from "zod";
import { FunctionFailedError, type TypedData, WorkerLostError } from "../contract.ts";
import type { Log } from "../log.ts";
import type { AppFunction } from "./app-function.ts";

// Behaviour of HttpRequestProcessor.cs and EventGridExtensionConfigProvider.cs in
// https://github.com/Azure/azure-sdk-for-net, sdk/eventgrid/Microsoft.Azure.WebJobs.Extensions.EventGrid (read
// 2026-11).

const PUBLIC_CLOUD = "eventgrid.azure.net";
const ORIGINS = [
  PUBLIC_CLOUD,
  "eventgrid.azure.us",
  "eventgrid.azure.cn",
  "eventgrid.azure.eaglex.ic.gov",
  "eventgrid.azure.microsoft.scloud",
];

const Event = z.record(z.string(), z.unknown());
type Event = z.infer<typeof Event>;

const Events = z.union([z.array(Event), Event.transform((event) => [event])]);

const ValidationCode = z.object({ validationCode: z.string() });
const ValidationRequest = z.union([
  z.array(z.object({ data: ValidationCode })).min(1),
  // In the CloudEvents schema the data is JSON in a string.
  z
    .object({ data: z.string().transform((text) => ValidationCode.parse(JSON.parse(text))) })
    .transform((event) => [event]),
]);

/**
 * Serves `/runtime/webhooks/eventgrid?functionName=…`: 202 once every event of the delivery was handled; 500 when one
 * failed (Event Grid then sends the whole delivery again) or the body is not events, as in Azure; 404 for an unknown
 * function; 400 without an event type.
 */
export const eventGridWebhook = (
  functions: readonly AppFunction[],
  log: Log,
): ((request: Request) => Promise<Response>) => {
  const listeners = new Map(
    functions.filter(({ triggerType }) => triggerType === "eventgridtrigger").map((each) => [each.name, each]),
  );

  return async (request) => {
    const name = new URL(request.url).searchParams.get("functionName") ?? "";
    const listener = listeners.get(name);
    if (listener === undefined) return new Response(`cannot find function: '${name}'`, { status: 404 });
    if (request.method === "OPTIONS") return allowOrigin(request);

    switch (request.headers.get("aeg-event-type")?.toLowerCase()) {
      case "subscriptionvalidation":
        return parsed(request, ValidationRequest, log, async ([event]) =>
          Response.json({ validationResponse: event?.data.validationCode }),
        );
      case "notification":
        return parsed(request, Events, log, (events) => deliver(listener, events));
      case "unsubscribe":
        return new Response(null, { status: 202 });
      default:
        return new Response(null, { status: 400 });
    }
  };
};

/** The input and the trigger metadata of an Event Grid function for one event. */
export const eventInvocation = (event: Event): [TypedData, Record<string, TypedData>] => {
  const metadata = Object.entries(event).map(([name, value]) => [
    name,
    typeof value === "string" ? { string: value } : { json: JSON.stringify(value) },
  ]);
  return [{ json: JSON.stringify(event) }, Object.fromEntries(metadata)];
};

const deliver = async (listener: AppFunction, events: readonly Event[]): Promise<Response> => {
  const runs = await Promise.allSettled(events.map((event) => listener.run(...eventInvocation(event))));
  const failures = runs.flatMap((run) => (run.status === "rejected" ? [run.reason] : []));
  const unknown = failures.find((error) => !(error instanceof FunctionFailedError || error instanceof WorkerLostError));
  if (unknown !== undefined) throw unknown;
  if (failures.length === 0) return new Response(null, { status: 202 });
  return new Response(`Exception while executing function: Functions.${listener.name}`, { status: 500 });
};

/**
 * The handshake of CloudEvents 1.0. Source: https://github.com/cloudevents/spec/blob/v1.0/http-webhook.md, 4 (read
 * 2026-11).
 */
const allowOrigin = (request: Request): Response => {
  const origin = request.headers.get("webhook-request-origin") ?? PUBLIC_CLOUD;
  return new Response(null, {
    headers: { "webhook-allowed-origin": ORIGINS.includes(origin) ? origin : PUBLIC_CLOUD },
  });
};

const parsed = async <S extends z.ZodType>(
  request: Request,
  schema: S,
  log: Log,
  use: (value: z.output<S>) => Promise<Response>,
): Promise<Response> => {
  let value: z.output<S>;
  try {
    value = schema.parse(JSON.parse(await request.text()));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    log({
      level: "error",
      category: "Host.Triggers.EventGrid",
      message: "A delivery is not JSON events; it is refused.",
    });
    return new Response(null, { status: 500 });
  }
  return use(value);
};
