import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { z } from "zod";
import type { StorageControls } from "./controls.ts";
import { isDisconnect } from "./gateway.ts";
import { DeliveryQuirks, EventsOptions, explain, Fault } from "./options.ts";

export const ADMIN_PREFIX = "/__admin/";

type Route = (storage: StorageControls, body: () => Promise<unknown>) => unknown;

const ROUTES: Readonly<Record<string, Route>> = {
  "GET counters": (storage) => ({ ...storage.counts(), pendingEvents: storage.pendingEvents() }),
  "POST reset": (storage) => storage.resetCounts(),
  "GET faults": (storage) => storage.faults(),
  "POST faults": async (storage, body) => storage.addFault(Fault.parse(await body())),
  "DELETE faults": (storage) => storage.clearFaults(),
  "GET dead-letters": (storage) => storage.deadLetters(),
  "POST subscriptions": async (storage, body) => storage.setSubscriptions(EventsOptions.parse(await body())),
  "POST delivery": async (storage, body) => storage.setDelivery(DeliveryQuirks.parse(await body())),
};

/** Answers `/__admin/...` with JSON: 200, 204 for nothing to say, 400 for bad input, 404. */
export const handleAdmin = async (
  storage: StorageControls,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  const route = ROUTES[`${incoming.method} ${incoming.url?.slice(ADMIN_PREFIX.length)}`];
  if (route === undefined) return reply(outgoing, 404, { error: `Use one of: ${Object.keys(ROUTES).join(", ")}.` });
  try {
    const answer = await route(storage, () => json(incoming));
    reply(outgoing, answer === undefined ? 204 : 200, answer);
  } catch (error) {
    if (error instanceof z.ZodError) return reply(outgoing, 400, { error: explain(error) });
    if (error instanceof SyntaxError) return reply(outgoing, 400, { error: "The body must be JSON." });
    if (!isDisconnect(error)) throw error;
  }
};

const reply = (outgoing: ServerResponse, status: number, body: unknown): void => {
  outgoing.writeHead(status, { "content-type": "application/json" });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
};
