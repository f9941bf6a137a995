import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Counters } from "./counters.ts";
import type { Exchange } from "./events.ts";
import type { Faults } from "./faults.ts";
import { type Operation, operationOf } from "./operation.ts";
import type { ParsedFault } from "./options.ts";

export interface Gateway {
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
  /** Closes the connections to the storage. */
  close(): void;
}

interface GatewayParts {
  readonly target: { readonly port: number };
  readonly counters: Counters;
  readonly faults: Faults;
  /** Hears of every exchange the storage answered with 2xx, before the client gets the answer. */
  readonly succeeded: (exchange: Exchange) => void;
}

/** Hop-by-hop headers, which belong to one connection (RFC 9110, 7.6.1). Bodies keep their framing, so that stays. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "upgrade"]);

const ERROR_CODES: Readonly<Record<number, string>> = {
  409: "Conflict",
  412: "ConditionNotMet",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServerBusy",
};

/**
 * A reverse proxy in front of the storage: bodies stream through with back-pressure in both directions. Host and path
 * stay as the client sent them, because the signature of a request covers its path.
 */
export const createGateway = ({ target, counters, faults, succeeded }: GatewayParts): Gateway => {
  const agent = new Agent({ keepAlive: true });

  const forward = async (incoming: IncomingMessage): Promise<IncomingMessage> => {
    const upstream = request({
      host: "127.0.0.1",
      port: target.port,
      agent,
      method: incoming.method,
      path: incoming.url,
      headers: endToEnd(incoming.rawHeaders),
    });
    incoming.on("data", (chunk: Buffer) => counters.received(chunk.length));
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.once("response", resolve);
      upstream.on("error", reject);
    });
    const [response] = await Promise.all([answer, pipeline(incoming, upstream)]);
    return response;
  };

  const relay = async (response: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    outgoing.writeHead(statusOf(response), response.statusMessage, endToEnd(response.rawHeaders));
    response.on("data", (chunk: Buffer) => counters.sent(chunk.length));
    await pipeline(response, outgoing);
  };

  const exchange = async (operation: Operation, incoming: IncomingMessage, outgoing: ServerResponse) => {
    const fault = faults.take(operation);
    if (fault !== undefined) await sleep(fault.delayMs);
    const fails = fault !== undefined && fault.answer !== "true";
    if (fails && fault.when === "before") return fail(operation, fault, incoming, outgoing);

    const response = await forward(incoming);
    const status = statusOf(response);
    if (status < 300) {
      succeeded({ operation, requestHeaders: incoming.headers, responseHeaders: response.headers });
    }
    if (fails) {
      response.resume();
      return fail(operation, fault, incoming, outgoing);
    }
    counters.request(operation, status);
    return relay(response, outgoing);
  };

  const fail = (
    operation: Operation,
    { answer }: ParsedFault,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): void => {
    counters.request(operation, typeof answer === "number" ? answer : undefined);
    if (typeof answer !== "number") {
      incoming.socket.resetAndDestroy();
      return;
    }
    const code = ERROR_CODES[answer] ?? "InjectedFault";
    incoming.resume();
    outgoing.writeHead(answer, { "content-type": "application/xml", "x-ms-error-code": code });
    const error = `<Error><Code>${code}</Code><Message>Injected.</Message></Error>`;
    const body = `<?xml version="1.0" encoding="utf-8"?>${error}`;
    outgoing.end(incoming.method === "HEAD" ? undefined : body);
  };

  return {
    handle: async (incoming, outgoing) => {
      try {
        await exchange(operationOf(lineOf(incoming)), incoming, outgoing);
      } catch (error) {
        // One side of the exchange went away: the other must not take a part for the whole.
        incoming.socket.destroy();
        if (!isDisconnect(error)) throw error;
      }
    },
    close: () => agent.destroy(),
  };
};

const DISCONNECTS = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "EPIPE",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_UNABLE_TO_PIPE",
]);

/** Whether an error only says that the other side of a connection is gone. */
export const isDisconnect = (error: unknown): boolean =>
  error instanceof Error && "code" in error && DISCONNECTS.has(String(error.code));

const lineOf = ({ method = "GET", url = "/", headers }: IncomingMessage) => ({ method, url, headers });

const statusOf = ({ statusCode = 0 }: IncomingMessage): number => statusCode;

const endToEnd = (rawHeaders: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
};
